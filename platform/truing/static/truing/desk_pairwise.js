// Pairwise: 1 and 2 choose, again for more; arrows move along the scale; 0 or t ties; b is both bad.
(() => {
  const radios = (form) => [...form.querySelectorAll("input[name=choice]")];
  const chosen = (form) => form.querySelector("input[name=choice]:checked");

  const choose = (radio) => {
    if (!radio) return false;
    radio.checked = true;
    radio.dispatchEvent(new Event("input", { bubbles: true }));
    return true;
  };

  const better = (form, position) => {
    // In the order slightly, clearly, much: chosen again, it is better by more.
    const grades = radios(form)
      .filter((radio) => radio.value === position || radio.value.startsWith(`${position}:`))
      .sort((one, other) => one.value.localeCompare(other.value));
    const now = grades.indexOf(chosen(form));
    return choose(grades[Math.min(now + 1, grades.length - 1)]);
  };

  const along = (form, step) => {
    const scale = radios(form).filter((radio) => radio.value !== "both_bad");
    const now = scale.indexOf(chosen(form));
    if (now >= 0) return choose(scale[Math.max(0, Math.min(scale.length - 1, now + step))]);
    const first = step < 0 ? (scale.length >> 1) - 1 : (scale.length + 1) >> 1;
    return choose(scale[first]);
  };

  window.truing.desk.types.pairwise = {
    start(form) {
      form.addEventListener("click", (event) => {
        const button = event.target.closest("[data-choose]");
        if (button) better(form, button.dataset.choose);
      });
    },
    verdict: (form) => chosen(form)?.closest("label").title || "",
    key(event, form) {
      switch (event.key) {
        case "1":
        case "2":
          return better(form, String(Number(event.key) - 1));
        case "ArrowLeft":
          return along(form, -1);
        case "ArrowRight":
          return along(form, 1);
        case "0":
        case "t":
          return choose(radios(form).find((radio) => radio.value === "tie"));
        case "b":
          return choose(radios(form).find((radio) => radio.value === "both_bad"));
        default:
          return false;
      }
    },
  };
})();
