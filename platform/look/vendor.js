// Copies the scripts that pages use, and their licences, to where the web serves them.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";

const target = "../truing/static/truing/";
const files = {
  "htmx.org/dist/htmx.min.js": "htmx.js",
  "sortablejs/Sortable.min.js": "sortable.js",
  "uplot/dist/uPlot.iife.min.js": "uplot.js",
  "uplot/dist/uPlot.min.css": "uplot.css",
};
for (const [source, name] of Object.entries(files)) {
  copyFileSync(`node_modules/${source}`, target + name);
}

const licences = ["htmx.org", "sortablejs", "uplot", "tailwindcss", "daisyui"].map((name) => {
  const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  return `${name} ${version}\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim()}\n`;
});
writeFileSync(`${target}LICENSES.txt`, licences.join(`\n${"-".repeat(78)}\n\n`));
