/* Keeps an open payment page up to date. Everything works without it, by reloading. */
(function () {
  "use strict";

  var FIRST_WAIT = 2000, LONGEST_WAIT = 15000, PATIENCE = 60000;
  var wait = FIRST_WAIT, started = Date.now(), poll = null, tick = null;

  function checkout() { return document.getElementById("checkout"); }

  function schedule() {
    clearTimeout(poll);
    if (checkout().dataset.live && !document.hidden) { poll = setTimeout(ask, wait); }
  }

  function slower(factor) { wait = Math.min(wait * factor, LONGEST_WAIT); }

  function ask() {
    fetch(checkout().dataset.live, { headers: { Accept: "application/json" }, cache: "no-store" })
      .then(function (answer) {
        if (!answer.ok) { throw new Error(String(answer.status)); }
        return answer.json();
      })
      .then(function (state) {
        if (state.version !== checkout().dataset.version) { return renew(); }
        if (Date.now() - started > PATIENCE) { slower(1.5); }
      })
      .catch(function () { slower(2); })
      .then(schedule);
  }

  /* Take the new content from the page itself: there is one way to draw it, on the server. */
  function renew() {
    return fetch(location.pathname.replace(/\/continue$/, "") + location.search, { cache: "no-store" })
      .then(function (answer) { return answer.text(); })
      .then(function (text) {
        var next = new DOMParser().parseFromString(text, "text/html"), fresh = next.getElementById("checkout");
        if (!fresh) { location.reload(); return; }
        document.title = next.title;
        checkout().replaceWith(document.adoptNode(fresh));
        wait = FIRST_WAIT;
        started = Date.now();
        var heading = checkout().querySelector("h1");
        document.getElementById("announce").textContent = heading ? heading.textContent : "";
        countDown();
      });
  }

  function countDown() {
    clearInterval(tick);
    var bar = document.getElementById("left"), clock = document.getElementById("clock");
    if (!bar || !clock) { return; }
    var end = Date.now() + bar.value * 1000;
    tick = setInterval(function () {
      var left = Math.max(0, Math.round((end - Date.now()) / 1000));
      bar.value = left;
      clock.textContent = Math.floor(left / 60) + ":" + String(left % 60).padStart(2, "0");
      if (!left) { clearInterval(tick); }
    }, 1000);
  }

  /* Copying is offered where it works; without it a tap selects the whole value. */
  if (navigator.clipboard) { document.documentElement.classList.add("script"); }
  document.addEventListener("click", function (event) {
    var button = event.target.closest ? event.target.closest("[data-copy]") : null;
    if (!button) { return; }
    var text = button.textContent;
    navigator.clipboard.writeText(button.dataset.copy).then(function () {
      button.textContent = button.dataset.done;
      document.getElementById("announce").textContent = button.dataset.done;
      setTimeout(function () { button.textContent = text; }, 2000);
    }, function () {});
  });

  /* A form goes off once; coming back to the page makes it usable again. */
  document.addEventListener("submit", function (event) {
    var button = event.target.querySelector("button:not([data-copy])");
    if (!button) { return; }
    if (button.disabled) { event.preventDefault(); return; }
    button.kept = Array.from(button.childNodes);
    button.replaceChildren(event.target.dataset.busy);
    button.disabled = true;
  });
  addEventListener("pageshow", function (event) {
    document.querySelectorAll("button").forEach(function (button) {
      if (!button.kept) { return; }
      button.disabled = false;
      button.replaceChildren.apply(button, button.kept);
      delete button.kept;
    });
    if (event.persisted && checkout().dataset.stage) { renew().then(schedule); }
  });
  document.addEventListener("visibilitychange", function () {
    if (!document.hidden && checkout().dataset.live) { wait = FIRST_WAIT; ask(); }
  });

  countDown();
  schedule();
})();
