// Write the types of the control API: node scripts/types.mjs OPENAPI_JSON OUT_TS
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const [source, target] = process.argv.slice(2);
// A title says no more than the name it stands at.
const untitled = (name, value) => (name === "title" && typeof value === "string" ? undefined : value);
const document = JSON.parse(readFileSync(source, "utf8"), untitled);
document.paths = Object.fromEntries(Object.entries(document.paths).filter(([path]) => path.startsWith("/_mock/")));

for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path))) {
  // What follows are tables for the page of the documentation.
  operation.description = operation.description.split("\n\n")[0];
  delete operation.responses["4XX"];
  delete operation.responses["500"];
}
const schemas = {};
function keepSchemasOf(part) {
  for (const [, name] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
    if (name in schemas) continue;
    schemas[name] = document.components.schemas[name];
    keepSchemasOf(schemas[name]);
  }
}
keepSchemasOf(document.paths);
const sorted = Object.fromEntries(Object.entries(schemas).sort(([one], [other]) => (one < other ? -1 : 1)));
document.components = { schemas: sorted };

const types = astToString(await openapiTS(document, { defaultNonNullable: false, emptyObjectsUnknown: true }));
writeFileSync(target, `// Made by scripts/types.mjs from the server's OpenAPI document. Do not edit.\n${types}`);
