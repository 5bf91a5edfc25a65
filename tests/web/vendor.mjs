// Makes src/web/ui/vendor/ and src/web/ui/fonts/ from the npm packages that package-lock.json pins.
//   node tests/web/vendor.mjs            writes them
//   node tests/web/vendor.mjs --check    fails if what is committed differs
// Packages are looked for in .cache/web/node_modules of the checkout (tests/setup.sh puts them there).
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const modules = process.env.PANEL_NODE_MODULES ?? join(root, '.cache/web/node_modules');
const require = createRequire(join(modules, 'x.js'));
const lock = JSON.parse(readFileSync(join(here, 'package-lock.json'), 'utf8'));
const check = process.argv.includes('--check');
const outputs = new Map();

// One ES module with the whole runtime: preact, its hooks, signals and htm.
const built = await require('esbuild').build({
  stdin: {
    contents: `
      export { h, render, Fragment, createContext, cloneElement } from 'preact';
      export { useState, useEffect, useLayoutEffect, useRef, useMemo, useCallback, useContext, useErrorBoundary } from 'preact/hooks';
      export { signal, computed, effect, batch, untracked, useSignal, useComputed, useSignalEffect } from '@preact/signals';
      import { h } from 'preact';
      import htm from 'htm';
      export const html = htm.bind(h);`,
    resolveDir: dirname(modules),
  },
  nodePaths: [modules],
  bundle: true, format: 'esm', minify: true, target: 'es2022', write: false, legalComments: 'none',
});
outputs.set('vendor/ui.js', Buffer.from(
  '/* preact, @preact/signals (MIT), htm (Apache-2.0); see VENDOR.md */\n' + built.outputFiles[0].text));

// Resumable uploads; fetched only when somebody uploads.
const uploads = await require('esbuild').build({
  stdin: { contents: "export { Upload } from 'tus-js-client';", resolveDir: dirname(modules) },
  nodePaths: [modules],
  bundle: true, format: 'esm', platform: 'browser', minify: true, target: 'es2022', write: false, legalComments: 'none',
});
outputs.set('vendor/tus.js', Buffer.from(
  '/* tus-js-client and what it stands on (MIT, BSD-3-Clause); see VENDOR.md */\n' + uploads.outputFiles[0].text));

// What files are known by; loaded by the worker that reads them.
const hashes = await require('esbuild').build({
  stdin: { contents: "export { blake3 } from '@noble/hashes/blake3.js';", resolveDir: dirname(modules) },
  nodePaths: [modules],
  bundle: true, format: 'esm', platform: 'browser', minify: true, target: 'es2022', write: false, legalComments: 'none',
});
outputs.set('vendor/blake3.js', Buffer.from('/* @noble/hashes (MIT); see VENDOR.md */\n' + hashes.outputFiles[0].text));

// One sprite with the icons that the panel uses. Paint attributes stand on the <svg> that uses them.
const icons = `activity arrow-left check chevron-down chevron-left chevron-right circle-alert circle-check circle-user
  copy disc-3 download ellipsis eye file file-music folder-open folder-up gauge hard-drive heart history house image info message-circle key-round library link
  list-end list-music list-plus log-out mic mic-vocal monitor-speaker music music-4 pause pencil play plus podcast radio refresh-cw repeat
  repeat-1 search settings share-2 shield-check shuffle skip-back skip-forward smartphone speaker square sun-moon trash-2 triangle-alert
  upload users user-plus volume-1 volume-2 volume-x wifi x`.split(/\s+/);
const symbols = icons.map((name) => {
  const svg = readFileSync(join(modules, 'lucide-static/icons', `${name}.svg`), 'utf8');
  const inner = svg.replace(/<!--[\s\S]*?-->/g, '').replace(/<svg[\s\S]*?>/, '').replace('</svg>', '')
    .replace(/\s+/g, ' ').trim();
  return `<symbol id="${name}" viewBox="0 0 24 24">${inner}</symbol>`;
});
outputs.set('vendor/icons.svg', Buffer.from(
  `<svg xmlns="http://www.w3.org/2000/svg"><!-- Lucide, ISC licence; see VENDOR.md -->\n${symbols.join('\n')}\n</svg>\n`));

for (const subset of ['latin', 'latin-ext', 'cyrillic', 'greek']) {
  const name = `inter-${subset}-wght-normal.woff2`;
  outputs.set(`fonts/${name}`, readFileSync(join(modules, '@fontsource-variable/inter/files', name)));
}

const licences = ['preact', '@preact/signals', '@preact/signals-core', 'htm', 'tus-js-client', '@noble/hashes', 'js-base64', 'url-parse', 'querystringify', 'requires-port', 'lucide-static', '@fontsource-variable/inter'];
const texts = licences.map((name) => {
  const of = lock.packages[`node_modules/${name}`];
  const file = ['LICENSE', 'LICENSE.md', 'LICENSE.txt'].map((f) => join(modules, name, f)).find(existsSync);
  const text = file ? readFileSync(file, 'utf8').trim() : '(the package ships no licence file)';
  return `## ${name} ${of.version} (${of.license})\n\nnpm integrity: \`${of.integrity}\`\n\n\`\`\`text\n${text}\n\`\`\`\n`;
});
const sums = [...outputs].map(([name, bytes]) =>
  `| ${name} | ${bytes.length} | \`${createHash('sha256').update(bytes).digest('hex')}\` |`);
outputs.set('vendor/VENDOR.md', Buffer.from(
  `# What is vendored here\n\nMade by \`node tests/web/vendor.mjs\` from npm packages at the versions below; \`--check\` compares.\n\n`
  + `| file | bytes | sha-256 |\n|---|---|---|\n${sums.join('\n')}\n\n${texts.join('\n')}`));

let wrong = 0;
for (const [name, bytes] of outputs) {
  const path = join(root, 'src/web/ui', name);
  if (check) {
    if (!existsSync(path) || !readFileSync(path).equals(bytes)) { console.error(`differs: ${name}`); wrong += 1; }
  } else {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
}
console.log(check ? `${outputs.size - wrong} of ${outputs.size} files equal` : `${outputs.size} files written`);
process.exit(wrong ? 1 : 0);
