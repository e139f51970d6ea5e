// A plain TLS peer: client HOST PORT DIR | server DIR. DIR holds authority.pem, peer.pem and peer.key.
import { readFileSync } from "node:fs";
import tls from "node:tls";

const [role, ...rest] = process.argv.slice(2);
const directory = rest.at(-1);
const read = (name) => readFileSync(`${directory}/${name}`);
const material = { ca: read("authority.pem"), cert: read("peer.pem"), key: read("peer.key") };

if (role === "client") {
  const stream = tls.connect({ ...material, host: rest[0], port: Number(rest[1]), servername: "server.test" }, () => stream.write("hello\n"));
  stream.on("error", (error) => { console.error(error.message); process.exit(1); });
  stream.on("close", () => process.exit(1));
  stream.on("data", (data) => { console.log(data.toString().trim()); stream.removeAllListeners("close"); stream.end(); });
} else {
  const server = tls.createServer({ ...material, requestCert: true, rejectUnauthorized: true }, (stream) => {
    stream.on("error", () => {});
    stream.pipe(stream);
  });
  server.listen(0, "127.0.0.1", () => console.log(`listening on 127.0.0.1:${server.address().port}`));
}
