/**
 * The value of `--data DIR` or `--data=DIR` among the arguments, which hold flags of Chromium and
 * of Electron as well.
 */
export function dataArgument(args: readonly string[]): string | undefined {
  for (const [index, argument] of args.entries()) {
    if (argument === "--data") return args[index + 1];
    if (argument.startsWith("--data=")) return argument.slice("--data=".length);
  }
  return undefined;
}
