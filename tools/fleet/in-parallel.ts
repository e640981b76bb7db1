/** Does something with each item, for 30 of them at the same time. */
export async function inParallel<T>(items: Iterable<T>, act: (item: T) => Promise<unknown>): Promise<void> {
  // One iterator for all, so that each item is taken once.
  const left = [...items].values();
  const takeTurns = async (): Promise<void> => {
    for (const item of left) await act(item);
  };
  await Promise.all(Array.from({ length: 30 }, takeTurns));
}
