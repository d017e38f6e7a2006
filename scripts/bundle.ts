// Makes dist/rds-csi.cjs, the one file that the image ships: half the start-up time of the sources.
import { build } from "esbuild";

const file = "dist/rds-csi.cjs";

const { metafile } = await build({
  entryPoints: ["src/main.ts"],
  outfile: file,
  bundle: true,
  platform: "node",
  format: "cjs",
  // Newer syntax is lowered, so that an older Node.js gets as far as the sentence that says it is too old.
  target: "node20",
  // ssh2's optional native parts: it does without them, in a try of its own. The loader of .proto files is for
  // channelz and ORCA, which are not used: grpc-js asks for it only there, and it brings 0.2 MiB.
  external: ["cpu-features", "*/sshcrypto.node", "@grpc/proto-loader"],
  mainFields: ["module", "main"],
  // A third less text to keep in memory; names stay, so that stack traces can be read.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: "eof",
  sourcemap: "linked",
  sourcesContent: false,
  metafile: true,
  logLevel: "warning",
});
const { bytes } = metafile.outputs[file] ?? { bytes: 0 };
process.stdout.write(`${file} ${(bytes / 2 ** 20).toFixed(1)} MiB\n`);
