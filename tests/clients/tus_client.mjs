// Uploads a file with tus-js-client: in pieces, broken off and taken up again, and in three parts side by side.
//   node tests/clients/tus_client.mjs URL APP_PASSWORD FILE
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';

const tus = createRequire(new URL('../../.cache/web/package.json', import.meta.url))('tus-js-client');
const [url, secret, path] = process.argv.slice(2);

function upload(name, more, begun = () => {}) {
  return new Promise((done, fail) => {
    const one = new tus.Upload(createReadStream(path), {
      endpoint: url, headers: { Authorization: `Bearer ${secret}` }, chunkSize: 1_500_000,
      metadata: { path: name }, metadataForPartialUploads: {}, retryDelays: [0, 100, 500], onSuccess: () => done(one), onError: fail, ...more,
    });
    begun(one, done);
    one.start();
  });
}

await upload('js/whole.bin', {});
// Broken off after the second piece; another process would know the address from its store.
const broken = await upload('js/resumed.bin', {}, (one, done) => {
  one.options.onChunkComplete = (_, accepted) => { if (accepted >= 3_000_000) one.abort().then(() => done(one)); };
});
await upload('js/resumed.bin', { uploadUrl: broken.url });
await upload('js/parallel.bin', { parallelUploads: 3, chunkSize: Infinity });
console.log('tus-js-client: done');
