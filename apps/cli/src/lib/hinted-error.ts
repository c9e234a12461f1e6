import { StoreError, type StoreErrorCode, type StoreErrorContext } from "@store/identity";

/** An error that knows better what to do about it than its code does. */
export class HintedError extends StoreError {
  readonly hint: string;

  constructor(
    code: StoreErrorCode,
    message: string,
    hint: string,
    options: { readonly cause?: unknown; readonly context?: StoreErrorContext } = {},
  ) {
    super(code, message, options);
    this.hint = hint;
  }
}
