// What test_look.py asks of a page.

// What axe-core finds outside of drawings, but for rules that Streamlit itself breaks: `known` maps a rule to the elements
// that break it.
async function brokenRules(known) {
    const { violations } = await axe.run({ exclude: [[".main-svg"]] }, { resultTypes: ["violations"], elementRef: true });
    return violations.flatMap(({ id, nodes }) => nodes
        .filter(({ element }) => !(known[id] && element.closest(known[id])))
        .map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`));
}

// Charts are drawings to axe. Of each: words around its marks that do not stand out by 4.5 to 1, labels that do not lie
// flat, and how many pixels are empty between its title and the highest of its marks and words.
function faultsOfCharts() {
    const paper = getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor;
    return [...document.querySelectorAll("[data-testid=stPlotlyChart]")].flatMap(chart => {
        const head = chart.closest(".stVerticalBlock").querySelector(".stHorizontalBlock");
        const find = selector => [...chart.querySelectorAll(`.main-svg ${selector}`)];
        const words = find("text").filter(one => one.textContent && one.getClientRects().length);
        const faint = words
            .filter(one => !one.closest(".bartext-inside, .heatmap-label, .hm, .slice"))
            .map(one => [one, contrast(luminance(paper, getComputedStyle(one).fill), luminance(paper))])
            .filter(([, ratio]) => ratio < 4.5)
            .map(([one, ratio]) => `"${one.textContent}" stands out by ${ratio.toFixed(1)} to 1`);
        const turned = find(":is(.xtick, .x2tick) text")
            .filter(one => /rotate\((?!0[,)])/.test(one.getAttribute("transform")))
            .map(one => `"${one.textContent}" does not lie flat`);
        const tops = [...words, ...find(":is(.point, .points path, .trace path, image, .js-line)")]
            .map(one => one.getBoundingClientRect())
            .filter(box => box.height || box.width)
            .map(box => box.top);
        const band = Math.min(...tops) - head.getBoundingClientRect().bottom;
        const empty = tops.length && band > 60 ? [`${band.toFixed()} px are empty below the title`] : [];
        return [...faint, ...turned, ...empty].map(fault => `${head.querySelector("p").innerText}: ${fault}`);
    });
}

// Until nothing has moved or changed its colour for six frames, and the page's script has ended.
async function standsStill() {
    const look = () => JSON.stringify([...document.querySelectorAll("h1, p, .main-svg, .main-svg .xtick text")].map(one => {
        const { x, y, width, height } = one.getBoundingClientRect();
        return [x, y, width, height, getComputedStyle(one).fill, getComputedStyle(one).color];
    }));
    for (let last, frames = 0; frames < 6;) {
        await new Promise(requestAnimationFrame);
        const now = look();
        frames = now === last && document.querySelector("[data-test-script-state=notRunning]") ? frames + 1 : 0;
        last = now;
    }
}

function luminance(...colours) {  // of the one painted over the other
    const paint = document.createElement("canvas").getContext("2d");
    for (const colour of colours) {
        paint.fillStyle = colour;
        paint.fillRect(0, 0, 1, 1);
    }
    const [r, g, b] = [...paint.getImageData(0, 0, 1, 1).data]
        .map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const contrast = (one, other) => (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
