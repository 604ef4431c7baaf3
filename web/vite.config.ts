// How the page is built: web/app becomes the files that the Python package serves.

import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("app"),
  // Relative addresses: the page also works mounted below a prefix.
  base: "./",
  resolve: { alias: { "@peerline/sdk": here("sdk/src/index.ts") } },
  build: {
    outDir: here("../src/peerline/server/static"),
    emptyOutDir: true,
    target: "es2022",
  },
  server: {
    // What lines of SDP mean is written once, beside the Python that says it too.
    fs: { allow: [here("."), here("../src/peerline/sdp")] },
    proxy: {
      "/signal": { target: "http://localhost:8080", ws: true },
      "/api": { target: "http://localhost:8080" },
    },
  },
});
