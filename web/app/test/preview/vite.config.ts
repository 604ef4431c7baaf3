// `npx vite -c app/test/preview/vite.config.ts`: the page over a fake SDK, to look at without a server.

import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("../.."),
  base: "./",
  resolve: { alias: { "@peerline/sdk": here("sdk.ts") } },
  // As in web/vite.config.ts.
  server: { fs: { allow: [here("../../.."), here("../../../../src/peerline/sdp")] } },
});
