// The upload API as one would write it in Node: http, sharp, better-sqlite3. It re-encodes every picture.
// node server.mjs --port PORT --data-dir DIR
import { createServer } from "node:http";
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

// The packages are installed apart from this file; the working directory is where they are.
const require = createRequire(join(process.cwd(), "server.mjs"));
const Database = require("better-sqlite3");
const sharp = require("sharp");

const LONGEST_SIDE_PX = 2048;
const MEDIA_TYPES = { jpg: "image/jpeg", png: "image/png", webp: "image/webp", gif: "image/gif" };

const { values } = parseArgs({ options: { port: { type: "string" }, "data-dir": { type: "string" } } });
mkdirSync(values["data-dir"], { recursive: true });
const database = new Database(join(values["data-dir"], "node.db"));
database.pragma("journal_mode = WAL");
database.pragma("synchronous = NORMAL");
database.exec("CREATE TABLE IF NOT EXISTS images (uuid TEXT PRIMARY KEY, extension TEXT, content BLOB)");
const insert = database.prepare("INSERT INTO images VALUES (?, ?, ?)");
const select = database.prepare("SELECT extension, content FROM images WHERE uuid = ?");
sharp.cache(false);

async function upload(task, host) {
  const raw = Buffer.from(task.image.slice(task.image.indexOf(",") + 1), "base64");
  const { data, info } = await sharp(raw, { animated: true, limitInputPixels: false })
    .resize({ width: LONGEST_SIDE_PX, height: LONGEST_SIDE_PX, fit: "inside", withoutEnlargement: true })
    .toBuffer({ resolveWithObject: true });
  const extension = info.format === "jpeg" ? "jpg" : info.format;
  const uuid = randomUUID();
  insert.run(uuid, extension, data);
  const imageURL = `http://${host}/image/ii/${uuid}.${extension}`;
  return { taskType: task.taskType, taskUUID: task.taskUUID, imageUUID: uuid, imageURL };
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

function answer(response, status, type, body) {
  response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

const server = createServer(async (request, response) => {
  try {
    if (request.method === "POST") {
      const data = [];
      for (const task of JSON.parse(await bodyOf(request))) data.push(await upload(task, request.headers.host));
      answer(response, 200, "application/json", JSON.stringify({ data }));
    } else if (request.url === "/health") {
      answer(response, 200, "application/json", '{"status":"ok"}');
    } else {
      const row = select.get(request.url.slice("/image/ii/".length).split(".")[0]);
      if (row) answer(response, 200, MEDIA_TYPES[row.extension], row.content);
      else answer(response, 404, "text/plain", "not found");
    }
  } catch (error) {
    answer(response, 500, "text/plain", String(error));
  }
});
server.listen(Number(values.port), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
