import { userInfo } from "node:os";

/** The account of the person at this computer; null where the system has no name for it. */
export function accountName(): string | null {
  try {
    return userInfo().username;
  } catch {
    // A container's user may have no entry in the system's list.
    return null;
  }
}
