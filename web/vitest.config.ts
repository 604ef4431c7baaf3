// Unit tests of the SDK and of the page; a test file that needs a DOM says so in its first line.

import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("."),
  resolve: { alias: { "@peerline/sdk": here("sdk/src/index.ts") } },
  test: {
    include: ["sdk/test/**/*.test.ts", "app/**/*.test.{ts,tsx}"],
    environment: "node",
  },
});
