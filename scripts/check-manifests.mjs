/** Every YAML document under a folder parses, says what it is, and names itself: `node scripts/check-manifests.mjs k8s`. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

const folder = process.argv[2] ?? 'k8s';

const faultsOf = (path) =>
  parseAllDocuments(readFileSync(path, 'utf8')).flatMap((document, index) => {
    const at = `${path}, document ${index + 1}`;
    const broken = [...document.errors, ...document.warnings].map(({ message }) => `${at}: ${message}`);
    if (broken.length > 0) return broken;
    const manifest = document.toJS() ?? {};
    const isKustomization = manifest.kind === 'Kustomization' || path.endsWith('kustomization.yaml');
    const missing = [
      ...['apiVersion', 'kind'].filter((member) => typeof manifest[member] !== 'string'),
      ...(isKustomization || typeof manifest.metadata?.name === 'string' ? [] : ['metadata.name']),
    ];
    return missing.map((member) => `${at}: ${member} is missing`);
  });

const files = readdirSync(folder, { recursive: true })
  .filter((name) => /\.ya?ml$/.test(name))
  .map((name) => join(folder, name));
const faults = files.flatMap(faultsOf);
for (const fault of faults) console.error(fault);
process.exit(faults.length === 0 ? 0 : 1);
