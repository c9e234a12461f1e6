/**
 * The lock of `Database.tryLock` that is held by whoever does the background work of an instance.
 * Where it is held, a server is at work.
 */
export const backgroundLock = "background";
