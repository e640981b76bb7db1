import { integer, isObject, text, type Fields } from './fields.ts';
import { listedError, VaultError, type RoutedRequest, type VaultAnswer } from './request.ts';
import { base64Fault } from './transit-key.ts';

/** The items of a batch, or the request itself as the only one. A malformed batch fails as a whole. */
export function itemsOf({ fields }: RoutedRequest, required: string, complaint: string): Fields[] {
  const batch = fields['batch_input'];
  if (batch === undefined || batch === null) {
    // An empty plaintext may be encrypted; there is no empty ciphertext.
    const given = text(fields, required);
    if (given === undefined || (given === '' && required === 'ciphertext'))
      throw new VaultError(400, complaint);
    return [fields];
  }
  if (!Array.isArray(batch)) {
    throw listedError(500, 'failed to parse batch input: source data must be an array or slice');
  }
  if (batch.length === 0) throw new VaultError(400, 'missing batch input to process');
  return batch.map((item: unknown, index) => {
    if (!isObject(item)) throw listedError(500, `failed to parse batch input: [${index}] expected a map`);
    if (item[required] === undefined) {
      throw listedError(500, `failed to parse batch input: '[${index}].${required}' ${complaint}`);
    }
    return item;
  });
}

/** A batch with a bad item answers with `failureStatus` and a full body, in which that item has an `error`. */
export function eachItem(
  { fields }: RoutedRequest,
  items: Fields[],
  failureStatus: number,
  work: (item: Fields) => Fields,
): VaultAnswer {
  if (fields['batch_input'] === undefined || fields['batch_input'] === null) return { data: work(fields) };
  let failed = false;
  const results = items.map((item) => {
    const reference = text(item, 'reference') ?? '';
    try {
      return { ...work(item), reference };
    } catch (error) {
      if (!(error instanceof VaultError) || error.status >= 500) throw error;
      failed = true;
      return { error: error.message, reference };
    }
  });
  const status = failed ? (integer(fields, 'partial_failure_response_code') ?? failureStatus) : 200;
  return { status, data: { batch_results: results } };
}

export function associatedData(item: Fields): Buffer {
  const value = text(item, 'associated_data') ?? '';
  const fault = base64Fault(value);
  if (fault === undefined) return Buffer.from(value, 'base64');
  throw listedError(
    500,
    `unable to get associated_data/additional_data from factory[0]: illegal base64 data at input byte ${fault}`,
  );
}

export function fromBase64(value: string): Buffer {
  const fault = base64Fault(value);
  if (fault !== undefined) throw new VaultError(400, `illegal base64 data at input byte ${fault}`);
  return Buffer.from(value, 'base64');
}
