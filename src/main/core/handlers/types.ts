import type {
  EventName,
  Events,
  OutputOf,
  ParsedInputOf,
  Procedure,
} from "../../../shared/contract.ts";

/** What answers one procedure; its input has been validated. */
export type Handler<P extends Procedure> = (
  input: ParsedInputOf<P>,
) => OutputOf<P> | Promise<OutputOf<P>>;

/** The handlers of some procedures. All together must cover the contract. */
export type Handlers<P extends Procedure = Procedure> = { readonly [Key in P]: Handler<Key> };

export type Emit = <E extends EventName>(event: E, payload: Events[E]) => void;
