// Rate, then rank: the keys are those of the scales, and after Enter or o those of the ranking.
(() => {
  const { types, scales } = window.truing.desk;
  let form = null;

  const place = () => form.querySelector("[data-ranking]");
  const isRanking = () => place().dataset.phase === "rank";

  const to = (phase) => {
    place().dataset.phase = phase;
    if (phase === "rank") document.activeElement?.blur();
    form.querySelector(".board").scrollIntoView({ block: "nearest" });
    return true;
  };

  // Places by the first row of each output; equal levels share one where that is allowed.
  const propose = () => {
    const selects = [...form.querySelectorAll("select[name^=place_]")];
    const levels = selects.map((select) =>
      Number(select.closest("[data-output]").querySelector("[data-row] input:checked")?.value || 0),
    );
    if (levels.includes(0)) return true;
    const mayTie = place().dataset.ties === "yes";
    const order = mayTie
      ? [...new Set(levels)].sort((one, other) => other - one)
      : levels.map((_, at) => at).sort((one, other) => levels[other] - levels[one]);
    selects.forEach((select, at) => {
      select.value = String(order.indexOf(mayTie ? levels[at] : at) + 1);
    });
    selects[0].dispatchEvent(new Event("input", { bubbles: true }));
    return to("rank");
  };

  types.rate_then_rank = {
    start(theForm) {
      form = theForm;
      scales.start(form);
      types.ranking.start(form);
      if (!scales.left()) place().dataset.phase = "rank";
    },
    verdict: () => scales.verdict() || types.ranking.verdict(),
    // Enter goes on to the order when all are rated, and asks for Enter again.
    before() {
      if (isRanking() || scales.left()) return types.ranking.before();
      to("rank");
      return false;
    },
    key(event) {
      if (event.key === "o") return to(isRanking() ? "rate" : "rank");
      if (event.key === "p") return propose();
      return isRanking() ? types.ranking.key(event) : scales.key(event);
    },
  };
})();
