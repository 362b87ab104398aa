// Runs the servers of a Bluesky network (@atproto/dev-env) and prints "READY" with their addresses once they answer.
// Arguments: the folder that the package was installed into, and "limits" if requests are to be limited as in earnest.
import { createRequire } from 'node:module';
import { Server } from 'node:net';
import { pathToFileURL } from 'node:url';

const [folder, limits] = process.argv.slice(2);

// They would listen on every address of this machine.
const listen = Server.prototype.listen;
Server.prototype.listen = function (first, ...others) {
  if (typeof first === 'number' && typeof others[0] !== 'string') return listen.call(this, first, '127.0.0.1', ...others);
  if (typeof first === 'object' && first !== null && first.port !== undefined) {
    return listen.call(this, { ...first, host: '127.0.0.1' }, ...others);
  }
  return listen.call(this, first, ...others);
};

const installed = createRequire(`${folder}/`).resolve('@atproto/dev-env');
const { TestNetwork } = await import(pathToFileURL(installed));
const network = await TestNetwork.create({
  dbPostgresSchema: 'tests',
  pds: { rateLimitsEnabled: limits === 'limits' },
});
const [pds, appview] = [network.pds.port, network.bsky.port].map((port) => `http://127.0.0.1:${port}`);
console.log(`READY ${JSON.stringify({ pds, appview })}`);
