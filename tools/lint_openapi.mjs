// Lints the OpenAPI document on standard input (JSON) with Spectral's recommended rules; prints the findings as JSON.
import { readFileSync } from "node:fs";
import spectral from "@stoplight/spectral-core";
import rulesets from "@stoplight/spectral-rulesets";

const linter = new spectral.Spectral();
linter.setRuleset({ extends: [[rulesets.oas, "recommended"]], rules: {} });
const found = await linter.run(JSON.parse(readFileSync(0, "utf8")));
console.log(JSON.stringify(found.map((each) => ({ rule: each.code, says: each.message, at: each.path.join("/") }))));
