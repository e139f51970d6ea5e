// A plain TLS 1.3 peer that names its groups: client HOST PORT DIR GROUPS | server DIR GROUPS. DIR holds authority.pem, peer.pem and peer.key.
// What ended a handshake is the code of the error, such as ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE: "failed CODE".
import { readFileSync } from "node:fs";
import tls from "node:tls";

const [role, ...rest] = process.argv.slice(2);
const [directory, groups] = rest.slice(-2);
const read = (name) => readFileSync(`${directory}/${name}`);
const options = { ca: read("authority.pem"), cert: read("peer.pem"), key: read("peer.key"), ecdhCurve: groups, minVersion: "TLSv1.3" };
const failed = (error) => console.log(`failed ${error.code}`);

if (role === "client") {
  const stream = tls.connect({ ...options, host: rest[0], port: Number(rest[1]), servername: "server.test" }, () => stream.write("hello\n"));
  stream.on("error", (error) => { failed(error); process.exit(1); });
  stream.on("close", () => process.exit(1));
  stream.on("data", (data) => { console.log(data.toString().trim()); stream.removeAllListeners("close"); stream.end(); });
} else {
  const server = tls.createServer({ ...options, requestCert: true, rejectUnauthorized: true }, (stream) => {
    stream.on("error", () => {});
    stream.pipe(stream);
  });
  server.on("tlsClientError", failed);
  server.listen(0, "127.0.0.1", () => console.log(`listening on 127.0.0.1:${server.address().port}`));
}
