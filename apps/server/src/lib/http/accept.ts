import { StoreError } from "@store/identity";
import Negotiator from "negotiator";

/**
 * The media type of `offered` that the request likes best (RFC 9110 §12.5.1); the first one where
 * it has no `Accept`.
 *
 * @throws {StoreError} `not_acceptable`, naming what is offered
 */
export function chooseMediaType<const Offered extends string>(
  accept: string | undefined,
  offered: readonly [Offered, ...Offered[]],
): Offered {
  if (accept === undefined) return offered[0];
  const chosen = new Negotiator({ headers: { accept } }).mediaType([...offered]);
  const found = offered.find((mediaType) => mediaType === chosen);
  if (found !== undefined) return found;
  throw new StoreError(
    "not_acceptable",
    `The answer can be ${offered.join(", ")}; accept one of them.`,
    { context: { actual: accept.slice(0, 200), candidates: offered } },
  );
}
