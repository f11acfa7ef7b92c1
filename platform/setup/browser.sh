#!/bin/sh
# Prints the path of a Chromium for the browser tests, and tries once to get one where there is
# none. Without one they are skipped.
set -u
cd "$(dirname "$0")/../.."

if [ -n "${TRUING_BROWSER:-}" ]; then
    echo "$TRUING_BROWSER"
    exit 0
fi
for name in chromium chromium-browser google-chrome; do
    command -v "$name" && exit 0
done
tried=.venv/browser-tried
if [ ! -f "$tried" ]; then
    echo "There is no Chromium here: fetching one for the tests." >&2
    timeout 300 .venv/bin/playwright install chromium >/dev/null 2>&1
    touch "$tried"
fi
fetched=$(.venv/bin/python -c '
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)' 2>/dev/null)
if [ -x "$fetched" ]; then
    echo "$fetched"
else
    echo "No Chromium could be had, so browser tests will be skipped." >&2
fi
