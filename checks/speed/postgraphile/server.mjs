// PostGraphile as its documentation sets it up, on DATABASE_URL and PORT, on loopback only.
import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";

const server = createServer();
const serv = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString: process.env.DATABASE_URL, schemas: ["public"] })],
  grafserv: { watch: false },
}).createServ(grafserv);
await serv.addTo(server);
server.listen(Number(process.env.PORT), "127.0.0.1");
