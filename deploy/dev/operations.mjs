// Holds the kinds of operators in rendered manifests against the operators' own schemas, and names what nobody holds.
//
//   node operations.mjs FOLDER FILE…      FOLDER has node_modules with @kubernetes-models and yaml
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [folder, ...files] = process.argv.slice(2);
const from = (file) => import(pathToFileURL(path.resolve(folder, "node_modules", file)).href);
const YAML = (await from("yaml/dist/index.js")).default;

const packages = {
  "keda.sh/v1alpha1": ["@kubernetes-models/keda", "keda.sh/v1alpha1"],
  "monitoring.coreos.com/v1": ["@kubernetes-models/prometheus-operator", "monitoring.coreos.com/v1"],
};

let failed = false;
const held = {};
const unheld = {};
for (const file of files) {
  for (const document of YAML.parseAllDocuments(fs.readFileSync(file, "utf8"))) {
    const object = document.toJS();
    // Kubernetes' own groups have no dot, or end in k8s.io; kubernetes-validate holds those.
    const group = object.apiVersion.split("/")[0];
    if (!group.includes(".") || group.endsWith("k8s.io")) continue;
    const [name, entry] = packages[object.apiVersion] ?? [];
    if (!name) {
      unheld[`${object.apiVersion} ${object.kind}`] = true;
      continue;
    }
    const Model = (await from(`${name}/${entry}/index.js`))[object.kind];
    try {
      new Model(object).validate();
      held[object.kind] = (held[object.kind] ?? 0) + 1;
    } catch (error) {
      failed = true;
      console.error(`${file}: ${object.kind} ${object.metadata.name}: ${error.message}`);
    }
  }
}
console.error(`parom: Held: ${JSON.stringify(held)}.`);
for (const kind of Object.keys(unheld)) console.error(`parom: NOT CHECKED: ${kind}: no schema is to be had.`);
if (Object.keys(held).length < 2) {
  console.error("Neither KEDA's nor Prometheus' kinds were seen.");
  failed = true;
}
process.exit(failed ? 1 : 0);
