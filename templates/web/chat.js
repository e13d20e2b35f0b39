// The web chat's one script: shows what the server says, sends what the person says until it is acknowledged.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const token = document.querySelector('meta[name="tiexin-token"]').content;
const [log, state, toastBox, composer, words] =
  ["log", "state", "toast", "composer", "words"].map((id) => document.getElementById(id));
const say = data.words;
const storeName = `tiexin unsent ${data.chat}`;
const REST = [2, 4, 8, 15]; // seconds between two tries

// -- what is shown -------------------------------------------------------------------------------------------

const lines = new Map(); // id → {version, element}
const waiting = new Map(); // our id → element, until the server shows the line itself
const dayOf = new Intl.DateTimeFormat("en-CA", { timeZone: data.zone });
const dayName = new Intl.DateTimeFormat(data.language === "zh" ? "zh-CN" : "en-GB",
  { timeZone: data.zone, year: "numeric", month: "long", day: "numeric", weekday: "short" });
const timeName = new Intl.DateTimeFormat("en-GB", { timeZone: data.zone, hour: "2-digit", minute: "2-digit" });

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function bubble(text) {
  const box = make("div", "bubble");
  text.split("\n").forEach((line, number) => {
    if (number) box.append("\n");
    box.append(/[█░]/.test(line) ? make("span", "mono", line) : line);
  });
  return box;
}

function keyboard(rows, lineId) {
  const box = make("div", "keys");
  for (const row of rows) {
    const line = make("div", "row");
    for (const key of row) {
      let button;
      if (key.path !== undefined) {
        if (!/^\/(?!\/)/.test(key.path)) continue;
        button = make("a", "key", key.label);
        button.href = data.base + key.path;
      } else {
        button = make("button", "key", key.label);
        button.type = "button";
        button.dataset.press = key.press;
        button.addEventListener("click", () => press(button, key, lineId));
      }
      line.append(button);
    }
    box.append(line);
  }
  return box;
}

function fill(element, line) {
  const who = make("span", "hidden", line.mine ? say.you : say.tiexin);
  element.replaceChildren(who, bubble(line.text));
  if (line.keys && line.keys.length) element.append(keyboard(line.keys, line.id));
  const foot = make("div", "foot");
  if (line.at) {
    const time = make("time", "", timeName.format(new Date(line.at)));
    time.dateTime = line.at;
    foot.append(time);
  }
  if (line.revised) foot.append(make("span", "", say.revised));
  if (line.mine) foot.append(make("span", "", "✓"));
  element.append(foot);
}

function dayLine(day) {
  const today = dayOf.format(new Date());
  const yesterday = dayOf.format(new Date(Date.now() - 864e5));
  const name = day === today ? say.today : day === yesterday ? say.yesterday
    : dayName.format(new Date(`${day}T12:00:00Z`));
  const element = make("div", "day", name);
  element.dataset.day = day;
  return element;
}

function atEnd() {
  return log.scrollHeight - log.scrollTop - log.clientHeight < 120;
}

// To the end, but never past the beginning of the newest answer: a long one is read from its top.
function toEnd() {
  log.scrollTop = log.scrollHeight;
  const newest = log.lastElementChild;
  if (newest?.dataset.id && newest.offsetHeight > log.clientHeight) newest.scrollIntoView({ block: "start" });
}

let stick = true; // whether the end stays in sight when the keyboard opens or a banner appears
log.addEventListener("scroll", () => { stick = atEnd(); }, { passive: true });
new ResizeObserver(() => { if (stick) toEnd(); }).observe(log);

// Puts a line where it belongs, or brings it up to date. Lines come in any order and more than once.
function show(line) {
  const known = lines.get(line.id);
  if (known) {
    if (known.version >= line.version) return;
    known.version = line.version;
    const focused = known.element.contains(document.activeElement);
    fill(known.element, line);
    if (focused) (known.element.querySelector(".key") || words).focus({ preventScroll: true });
    known.element.classList.remove("fresh");
    requestAnimationFrame(() => known.element.classList.add("fresh"));
    return;
  }
  let element = line.event && waiting.get(line.event);
  if (line.event) acknowledged(line.event);
  if (element) waiting.delete(line.event);
  else element = make("article", "");
  element.className = `message${line.mine ? " mine" : ""}`;
  element.dataset.id = line.id;
  fill(element, line);
  lines.set(line.id, { version: line.version, element });
  const day = dayOf.format(new Date(line.at));
  const later = [...log.querySelectorAll(".message[data-id]")].find((other) => Number(other.dataset.id) > line.id);
  if (later) later.before(element);
  else log.insertBefore(element, log.querySelector(".message.waiting"));
  if (!log.querySelector(`.day[data-day="${day}"]`)) element.before(dayLine(day));
}

let pressed = false; // whether a button waits for an answer of its own, which is then shown

function showAll(all) {
  if (!all.length) return;
  const answered = pressed && all.some((line) => !line.mine && !lines.has(line.id));
  const stay = !atEnd() && !waiting.size && !answered;
  if (answered) pressed = false;
  all.forEach(show);
  document.getElementById("greeting")?.classList.add("older");
  const newest = [...log.querySelectorAll(".message:not(.mine) > .keys")].at(-1)?.parentElement;
  for (const { element } of lines.values()) element.classList.toggle("older", element !== newest);
  if (!stay) toEnd();
}

function showWaiting(item) {
  const element = make("article", "message mine waiting");
  element.append(make("span", "hidden", say.you), bubble(item.text ?? item.label));
  const foot = make("div", "foot");
  foot.append(make("span", "", say.sending));
  element.append(foot);
  waiting.set(item.id, element);
  log.append(element);
  toEnd();
}

let toastTimer;
function toast(text) {
  clearTimeout(toastTimer);
  toastBox.textContent = text;
  toastBox.hidden = false;
  toastTimer = setTimeout(() => { toastBox.hidden = true; }, 2500 + text.length * 80);
}

function tell(text, link) {
  state.replaceChildren(text || "");
  if (link) {
    const anchor = make("a", "", say.sign_in);
    anchor.href = link;
    state.append(" ", anchor);
  }
  state.hidden = !text;
}

// -- what is sent --------------------------------------------------------------------------------------------

let unsent = load(); // kept across reloads, so that a tunnel loses nothing
let sending = false;
let over = false;
let tries = 0;
let timer;

function load() {
  try {
    const kept = JSON.parse(localStorage.getItem(storeName) || "[]");
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}

function keep() {
  try {
    if (unsent.length) localStorage.setItem(storeName, JSON.stringify(unsent));
    else localStorage.removeItem(storeName);
  } catch { /* private mode: kept in memory alone */ }
}

function newId() { // crypto.randomUUID needs https, which a house on its own network may not have
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function queue(item) {
  if (over) return;
  unsent.push({ id: newId(), ...item });
  keep();
  if (item.press === undefined) showWaiting(unsent.at(-1));
  flush();
}

function acknowledged(id) {
  if (!unsent.some((item) => item.id === id)) return;
  unsent = unsent.filter((item) => item.id !== id);
  keep();
}

function settle(item) {
  acknowledged(item.id);
  const element = waiting.get(item.id);
  if (element) {
    element.remove();
    waiting.delete(item.id);
  }
  for (const button of log.querySelectorAll(`.sending[data-sent="${item.id}"]`)) {
    button.classList.replace("sending", "pressed");
    button.removeAttribute("aria-disabled");
  }
}

function later(seconds) {
  clearTimeout(timer);
  timer = setTimeout(flush, seconds * 1000);
}

async function flush() {
  clearTimeout(timer);
  if (sending || over || !unsent.length) return;
  sending = true;
  const item = unsent[0];
  try {
    const { id, text, press, on } = item;
    const answer = await fetch(`${data.base}/chat/messages`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-Tiexin-Token": token },
      body: JSON.stringify(press === undefined ? { id, text } : { id, press, on }),
      signal: AbortSignal.timeout?.(20000),
    });
    const result = await answer.json();
    if (answer.ok) {
      tries = 0;
      heard(item, result);
    } else if (answer.status === 401 || answer.status === 403) {
      ended(); // what is unsent is kept for when the same person signs in here again
    } else if (answer.status === 503 || answer.status === 429) {
      later(Number(answer.headers.get("Retry-After")) || 2);
    } else if (answer.status < 500 || ++tries > 6) {
      tries = 0;
      refused(item, result.error);
    } else {
      later(REST[Math.min(tries, REST.length - 1)]);
    }
  } catch { // no network, or no answer: the same id makes sending it again harmless
    lost();
    later(REST[Math.min(tries++, REST.length - 1)]);
  }
  sending = false;
  if (unsent.length && unsent[0] !== item) flush();
}

function heard(item, result) {
  if (result.chat !== data.chat) { // a guest has been bound: this is their own chat now
    acknowledged(item.id);
    location.reload();
    return;
  }
  showAll(result.lines);
  settle(item);
  if (result.toast) toast(result.toast);
  if (result.ended) ended();
}

function refused(item, error) {
  const element = waiting.get(item.id);
  acknowledged(item.id);
  if (element) {
    waiting.delete(item.id);
    element.className = "message mine";
    element.querySelector(".foot").replaceChildren(`${say.failed}：${error || ""}`);
  } else toast(error || say.failed);
  settle(item);
}

function press(button, key, lineId) {
  if (button.getAttribute("aria-disabled") === "true" || over) return;
  const label = key.label;
  pressed = true;
  queue({ press: key.press, on: lineId, label });
  button.classList.remove("pressed");
  button.classList.add("sending");
  button.dataset.sent = unsent.at(-1)?.id ?? "";
  button.setAttribute("aria-disabled", "true");
}

function sayIt(text) {
  const clean = text.trim();
  if (clean) queue({ text: clean });
}

// -- what comes in by itself ---------------------------------------------------------------------------------

let source;
let after = data.version;
let lostTimer;

function listen() {
  source?.close();
  if (over) return;
  source = new EventSource(`${data.base}/chat/events?after=${after}`);
  source.onopen = () => {
    clearTimeout(lostTimer);
    lostTimer = undefined;
    tell("");
    flush();
  };
  source.onmessage = (event) => {
    after = Number(event.lastEventId) || after;
    showAll(JSON.parse(event.data).lines);
  };
  source.addEventListener("ended", ended);
  source.addEventListener("moved", () => location.reload());
  source.onerror = () => {
    lost();
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  };
}

function lost() { // a moment without a line is nobody's business
  lostTimer ??= setTimeout(() => { if (!over) tell(say.offline); }, 1500);
}

function ended() {
  if (over) return;
  over = true;
  source?.close();
  composer.querySelectorAll("button, textarea").forEach((element) => { element.disabled = true; });
  tell(say.ended, data.base ? "/" : "/sign-in");
}

// A browser has six connections for a house; a tab that nobody sees gives its own back after a while.
let hiddenTimer;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiddenTimer);
  if (document.hidden) {
    hiddenTimer = setTimeout(() => { source?.close(); source = undefined; }, 20000);
  } else {
    if (!source || source.readyState === EventSource.CLOSED) listen();
    flush();
  }
});
addEventListener("online", () => { listen(); flush(); });
addEventListener("offline", lost);
addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", (event) => { if (event.persisted) listen(); });

// -- the composer --------------------------------------------------------------------------------------------

function grow() {
  words.style.height = "auto";
  words.style.height = `${words.scrollHeight + 2}px`;
}

words.addEventListener("input", grow);
words.addEventListener("keydown", (event) => {
  // Enter ends a word of an input method first (Safari says so by 229 alone).
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  composer.requestSubmit();
});
composer.addEventListener("submit", (event) => {
  event.preventDefault();
  sayIt(words.value);
  words.value = "";
  grow();
});

const menu = document.getElementById("menu");
document.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-say]");
  if (chosen) sayIt(chosen.dataset.say);
  if (menu?.open && (chosen || !menu.contains(event.target))) {
    menu.open = false;
    if (chosen) words.focus({ preventScroll: true });
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && menu?.open) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
document.getElementById("sign-out")?.addEventListener("click", async () => {
  const answer = await fetch(`${data.base}/chat/sign-out`, {
    method: "POST", body: new URLSearchParams({ token }),
  }).catch(() => null);
  if (!answer?.ok) return toast(say.offline);
  localStorage.removeItem(storeName);
  location.href = answer.url;
});

// -- files ---------------------------------------------------------------------------------------------------

const file = document.getElementById("file");
document.getElementById("attach")?.addEventListener("click", () => file.click());
file?.addEventListener("change", async () => {
  const chosen = file.files[0];
  file.value = "";
  if (!chosen) return;
  if (chosen.size > data.most) return toast(say.file_too_large);
  const item = { id: newId(), text: `📎 ${chosen.name}` };
  showWaiting(item);
  const form = new FormData();
  form.append("id", item.id);
  form.append("file", chosen, chosen.name);
  try {
    const answer = await fetch(`${data.base}/chat/file`, {
      method: "POST", body: form, headers: { Accept: "application/json", "X-Tiexin-Token": token },
    });
    const result = await answer.json();
    if (answer.ok) heard(item, result);
    else refused(item, result.error);
  } catch {
    refused(item, say.file_failed);
  }
});

// -- begin ---------------------------------------------------------------------------------------------------

function begin() {
  if (!data.lines.length) {
    const greeting = make("article", "message");
    greeting.id = "greeting";
    fill(greeting, { text: data.greeting });
    if (data.commands.length && !data.guest) {
      const box = make("div", "keys");
      const row = make("div", "row");
      for (const command of data.commands) {
        const button = make("button", "key", command.label);
        button.type = "button";
        button.dataset.say = command.text;
        row.append(button);
      }
      box.append(row);
      greeting.append(box);
    }
    log.append(greeting);
  }
  showAll(data.lines);
  for (const item of unsent) if (item.press === undefined) showWaiting(item);
  toEnd();
  requestAnimationFrame(() => { log.setAttribute("aria-busy", "false"); });
  if (matchMedia("(pointer: fine)").matches) words.focus();
  listen();
  flush();
}

begin();
