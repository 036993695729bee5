"use strict";

const $ = (id) => document.getElementById(id);
const money = new Intl.NumberFormat("en-KE", { minimumFractionDigits: 0 });
const ANSWERS = {
  C2B00011: "the business does not take this phone number.",
  C2B00012: "the business does not know this account number.",
  C2B00013: "the business does not take this amount.",
  C2B00014: "the business does not take these details.",
  C2B00015: "the business does not use this number.",
  C2B00016: "the business could not take it.",
  1: "there is not enough money in the purse.",
  17: "the same sum went to this shop a moment ago.",
  2001: "the PIN is wrong.",
};

let msisdn = "";
let shown = null; // the prompt on the screen
let ignored = new Set();
let drawnShops = "";
let drawnMessages = "";

function normalise(text) {
  const digits = text.replace(/[^0-9]/g, "");
  if (/^254[17][0-9]{8}$/.test(digits)) return digits;
  if (/^0[17][0-9]{8}$/.test(digits)) return "254" + digits.slice(1);
  if (/^[17][0-9]{8}$/.test(digits)) return "254" + digits;
  return "";
}

function local(number) {
  const digits = "0" + number.slice(3);
  return `${digits.slice(0, 4)} ${digits.slice(4, 7)} ${digits.slice(7)}`;
}

async function ask(path, body) {
  const options = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(`/control/phone/${msisdn}${path}`, options);
  const data = await response.json();
  if (!response.ok) throw new Error(data.error || "That did not work.");
  return data;
}

function say(element, text, bad) {
  element.textContent = text;
  element.hidden = !text;
  element.classList.toggle("bad", Boolean(bad));
}

function drawPrompt(prompt) {
  const visible = prompt && !ignored.has(prompt.id) ? prompt : null;
  $("prompt").hidden = !visible;
  $("waiting").hidden = Boolean(visible);
  if (!visible) {
    shown = null;
    return;
  }
  $("left").textContent = visible.seconds_left;
  if (shown && shown.id === visible.id) return;
  shown = visible;
  $("prompt-amount").textContent = `KES ${money.format(visible.amount)}`;
  $("prompt-shop").textContent = visible.shop;
  $("prompt-number").textContent = visible.number;
  $("prompt-account").textContent = visible.account;
  $("prompt-account-line").hidden = !visible.account;
  $("pin").value = "";
  say($("outcome"), "");
  $("pin").focus();
}

function drawShops(shops) {
  const text = JSON.stringify(shops);
  if (text === drawnShops) return;
  drawnShops = text;
  const options = shops.map((shop) => {
    const option = new Option(`${shop.kind === "till" ? "Till" : "Paybill"} ${shop.number} · ${shop.name}`, shop.number);
    option.dataset.kind = shop.kind;
    return option;
  });
  $("to").replaceChildren(...options);
  drawAccount();
}

function drawAccount() {
  const option = $("to").selectedOptions[0];
  const till = option && option.dataset.kind === "till";
  $("account-line").hidden = till;
  $("account").required = !till;
}

function drawMessages(messages) {
  const text = JSON.stringify(messages);
  if (text === drawnMessages) return;
  drawnMessages = text;
  const items = messages.map((message) => {
    const item = document.createElement("li");
    const time = document.createElement("time");
    const at = new Date(message.at);
    time.dateTime = message.at;
    time.textContent = at.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: "Africa/Nairobi" });
    item.append(time, message.text);
    return item;
  });
  $("messages").replaceChildren(...items);
  $("no-messages").hidden = items.length > 0;
}

async function look() {
  const asked = msisdn;
  try {
    const state = await ask(`?hold=1&language=${$("language").value}`);
    if (asked !== msisdn) return;
    say($("trouble"), "");
    $("names").textContent = state.names;
    $("balance").textContent = state.balance === null ? "Enough money" : `KES ${money.format(state.balance)}`;
    drawShops(state.shops);
    drawMessages(state.messages);
    drawPrompt(state.prompt);
  } catch (error) {
    say($("trouble"), error instanceof TypeError ? "The simulator does not answer." : error.message);
  }
}

async function keepLooking() {
  if (msisdn && !document.hidden) await look();
  setTimeout(keepLooking, 1000);
}

function leave() {
  if (msisdn) navigator.sendBeacon(`/control/phone/${msisdn}/leave`);
}

function use(number) {
  const found = normalise(number);
  if (!found) {
    say($("trouble"), "Type a number like 0712 345 678.");
    return;
  }
  if (found !== msisdn) leave();
  msisdn = found;
  ignored = new Set();
  shown = null;
  $("msisdn").value = local(found);
  history.replaceState(null, "", `/phone?msisdn=${found}`);
  say($("outcome"), "");
  look();
}

async function busy(form, work) {
  const buttons = form.querySelectorAll("button");
  buttons.forEach((button) => { button.disabled = true; });
  try {
    await work();
  } catch (error) {
    say($("outcome"), error.message, true);
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
    await look();
  }
}

function tellPrompt(answer) {
  if (answer.paid) say($("outcome"), `Paid. Receipt ${answer.receipt}.`);
  else if (answer.result === "1032") say($("outcome"), "Cancelled. Nothing was paid.");
  else say($("outcome"), `Not paid: ${ANSWERS[answer.result] || answer.text}`, true);
}

function tellPayment(payment) {
  const why = ANSWERS[payment.result];
  if (payment.state === "completed") say($("outcome"), `Paid. Receipt ${payment.receipt}.`);
  else if (payment.state === "validating") say($("outcome"), "Sent. The business has not answered yet.");
  else say($("outcome"), `Not paid: ${why || `code ${payment.result}.`}`, true);
}

$("who").addEventListener("submit", (event) => {
  event.preventDefault();
  use($("msisdn").value);
});

$("pin-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const pin = $("pin").value;
  busy(event.target, async () => tellPrompt(await ask("/answer", { pin })));
});

$("cancel").addEventListener("click", () => {
  busy($("pin-form"), async () => tellPrompt(await ask("/answer", { cancel: true })));
});

$("ignore").addEventListener("click", () => {
  if (shown) ignored.add(shown.id);
  drawPrompt(null);
  say($("outcome"), "Ignored. The shop hears that nobody answered when the time is over.");
});

$("pay-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  const till = $("to").selectedOptions[0].dataset.kind === "till";
  const body = {
    to: $("to").value,
    account: till ? "" : $("account").value.trim(),
    amount: Number($("amount").value),
    pin: $("pay-pin").value,
  };
  busy(form, async () => {
    tellPayment(await ask("/pay", body));
    $("pay-pin").value = "";
  });
});

$("to").addEventListener("change", drawAccount);
$("language").addEventListener("change", look);
window.addEventListener("pagehide", leave);

use(new URLSearchParams(location.search).get("msisdn") || $("msisdn").value);
keepLooking();
