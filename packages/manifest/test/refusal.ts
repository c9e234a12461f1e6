import { isStoreError, StoreError } from "@store/identity";

/** The error that `attempt` fails with; fails itself where it succeeds or throws another kind. */
export async function refusalOf(attempt: () => unknown): Promise<StoreError> {
  try {
    await attempt();
  } catch (error) {
    if (isStoreError(error)) return error;
    throw error;
  }
  throw new Error("It was accepted.");
}
