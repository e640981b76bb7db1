export * from './redis/find-redis.ts';
export * from './redis/start-redis.ts';
