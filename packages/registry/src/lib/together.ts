/**
 * What several questions that were asked at once come to. Where more than one fails, it is the
 * first of them in this order that is thrown, whichever database answers sooner; and none is still
 * under way then.
 */
export async function together<const Asked extends readonly Promise<unknown>[]>(
  asked: Asked,
): Promise<{ -readonly [Index in keyof Asked]: Awaited<Asked[Index]> }> {
  await Promise.allSettled(asked);
  for (const each of asked) await each;
  return Promise.all(asked);
}
