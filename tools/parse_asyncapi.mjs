// Parses and lints the AsyncAPI document on standard input; prints what is wrong with it as JSON.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const { diagnostics } = await new Parser().parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(diagnostics.map((each) => ({ rule: String(each.code), says: each.message, at: each.path.join("/") }))));
