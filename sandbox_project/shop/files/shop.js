// Shows what has changed without a reload. Without this script the page is reloaded by hand.
"use strict";
const live = document.getElementById("live");
if (live) {
  let shown = "";
  const look = async () => {
    try {
      const answer = await fetch(live.dataset.from, { cache: "no-store" });
      const found = answer.ok ? await answer.text() : shown;
      if (found !== shown) live.innerHTML = shown = found;
    } catch {
      // The shop is away: what is shown stays, and the next look may find it again.
    }
    setTimeout(look, document.hidden ? 5000 : 1000);
  };
  look();
}
