// The page to try lookups: ?user=42 shows the similar users of user 42, and &with=77 why user 77 is one of them.

const KEY = "kindred-api-key";
const SHOWN_REASONS = 12;

// What a shared feature means: the text before and after its name.
const REASON_TEXTS = {
  courses: () => ["Both viewed ", ""],
  course_tags: () => ["Both viewed courses on ", ""],
  interests: () => ["Both follow ", ""],
  assessments: () => ["Both were assessed in ", ""],
  next_courses: (user, other) => [`${other} viewed `, `, predicted next for ${user}`],
  taken_courses: (user, other) => [`${user} viewed `, `, predicted next for ${other}`],
  view_time: () => ["Both spent time on ", ""],
  authors: () => ["Both viewed courses by author ", ""],
  levels: () => ["Both viewed courses of the level ", ""],
  cluster: () => ["Both are in ", ""],
};
const FACET_LABELS = {
  courses: "Courses",
  course_tags: "Course tags",
  interests: "Interests",
  assessments: "Assessments",
  next_courses: "Predicted next courses",
  taken_courses: "Predicted for the other user",
  view_time: "View time",
  authors: "Authors",
  levels: "Levels",
  cluster: "Cluster",
};
const COLOURS = 10;

const byId = (id) => document.getElementById(id);
const facetName = (facet) => FACET_LABELS[facet] ?? facet.replaceAll("_", " ");

let facets = []; // in the order of the warehouse; the place of a facet gives its colour
let latestTurn = 0; // so that a late answer does not replace that of a newer request

class Problem extends Error {
  constructor(status, content) {
    super(content.detail ?? "The server cannot be reached.");
    Object.assign(this, { status, title: content.title ?? "No answer", type: content.type });
  }
}

async function ask(path) {
  const key = sessionStorage.getItem(KEY);
  let response;
  let content;
  try {
    response = await fetch(path, { headers: key ? { "X-API-Key": key } : {} });
    content = await response.json();
  } catch {
    throw new Problem(0, {});
  }
  if (!response.ok) throw new Problem(response.status, content);
  return content;
}

// Create an element. Text is inserted as text, never as HTML.
function make(name, properties, ...children) {
  const { data, aria, ...rest } = properties ?? {};
  const element = Object.assign(document.createElement(name), rest);
  Object.assign(element.dataset, data);
  for (const [attribute, value] of Object.entries(aria ?? {})) element.setAttribute(attribute, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

function parts(values, whole) {
  return Object.entries(values)
    .filter(([, value]) => value > 0)
    .map(([facet, value]) => {
      const part = make("span", { className: `part ${colour(facet)}`, title: `${facetName(facet)} ${value.toFixed(3)}` });
      part.style.width = `${(100 * value) / whole}%`;
      return part;
    });
}

const colour = (facet) => `f${Math.max(facets.indexOf(facet), 0) % COLOURS}`;

function bar(values, whole) {
  const text = Object.entries(values)
    .filter(([, value]) => value > 0)
    .map(([facet, value]) => `${facetName(facet)} ${value.toFixed(3)}`);
  return make("div", { className: "bar", aria: { role: "img", "aria-label": text.join(", ") } }, ...parts(values, whole));
}

function reasonItem(reason, user, other) {
  const words = REASON_TEXTS[reason.facet] ?? (() => [`${facetName(reason.facet)}: `, ""]);
  const [before, after] = words(`user ${user}`, `user ${other}`);
  return make(
    "li",
    {},
    make("span", { className: `dot ${colour(reason.facet)}`, aria: { "aria-hidden": "true" } }),
    make("span", {}, before[0].toUpperCase() + before.slice(1), make("b", {}, reason.feature), after),
    make("span", { className: "adds", title: "What it adds to the similarity" }, `+${reason.contribution.toFixed(3)}`),
  );
}

function goTo(user, other = null) {
  const query = new URLSearchParams({ user });
  if (other !== null) query.set("with", other);
  history.pushState(null, "", `?${query}`);
}

function userLink(user, text, className = "") {
  const link = make("a", { href: `?${new URLSearchParams({ user })}`, className }, text);
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    goTo(user);
    show();
    scrollTo(0, 0);
  });
  return link;
}

function profileSection(user) {
  const facts = [
    [user.total_courses, "course viewed", "courses viewed"],
    [user.total_interests, "interest followed", "interests followed"],
    [user.total_assessments, "assessment taken", "assessments taken"],
  ].map(([number, one, many]) => make("span", {}, make("b", {}, String(number)), ` ${number === 1 ? one : many}`));
  const cluster = user.cluster ? `Cluster: ${user.cluster}` : "In no cluster";
  return make(
    "section",
    { id: "profile" },
    make("h1", {}, `User ${user.user_handle}`),
    make("p", { className: "facts" }, ...facts, user.main_level ? make("span", {}, `mostly ${user.main_level}`) : null),
    make(
      "ul",
      { className: "chips" },
      make("li", { className: "chip" }, cluster),
      ...user.top_course_tags.map((tag) => make("li", { className: "chip" }, tag)),
    ),
  );
}

function legend(similar) {
  const used = facets.filter((facet) => similar.some((other) => other.facets[facet] > 0));
  return make(
    "ul",
    { className: "legend", aria: { "aria-label": "Colours of the bars" } },
    ...used.map((facet) => make("li", {}, make("span", { className: `dot ${colour(facet)}` }), facetName(facet))),
  );
}

function similarSection(user, similar, clusterId) {
  const clusterOf = (other) => {
    if (other.cluster_id === -1) return "In no cluster";
    return other.cluster_id === clusterId ? "Same cluster" : `Cluster: ${other.cluster ?? other.cluster_id}`;
  };
  const largest = Math.max(...similar.map((other) => other.similarity));
  const cards = similar.map((other) => {
    const toggle = make("button", { type: "button", className: "plain", aria: { "aria-expanded": "false" } });
    toggle.append(`User ${other.similar_user_handle}`);
    const card = make(
      "li",
      { className: "card", data: { user: other.similar_user_handle } },
      make(
        "div",
        { className: "head" },
        make("span", { className: "rank" }, `${other.rank}.`),
        toggle,
        make("span", { className: "chip" }, clusterOf(other)),
        other.is_same_profile ? make("span", { className: "chip" }, "Did exactly the same") : null,
        make("span", { className: "score", title: "Similarity" }, other.similarity.toFixed(3)),
      ),
      bar(other.facets, largest),
      make("ul", { className: "words" }, ...other.reasons.map((r) => reasonItem(r, user, other.similar_user_handle))),
    );
    toggle.addEventListener("click", () => {
      const isOpen = toggle.getAttribute("aria-expanded") === "true";
      goTo(user, isOpen ? null : other.similar_user_handle);
      showPair();
    });
    return card;
  });
  const list = similar.length
    ? [make("p", { className: "soft" }, "Choose a user to see everything that the two have in common."), legend(similar)]
    : [make("p", { className: "soft" }, `User ${user} has no similar users.`)];
  return make("section", { id: "similar" }, make("h2", {}, "Similar users"), ...list, make("ol", {}, ...cards));
}

function coursesSection(user, courses) {
  const items = courses.map((course) =>
    make(
      "li",
      {},
      make("b", {}, course.course_id),
      make("div", { className: "soft" }, `viewed by ${course.users} similar ${course.users === 1 ? "user" : "users"}`),
    ),
  );
  const text = courses.length
    ? `Courses that similar users viewed and user ${user} has not.`
    : `Similar users viewed no course that user ${user} has not.`;
  return make(
    "section",
    { id: "courses", className: "card" },
    make("h2", {}, "Courses to take"),
    make("p", { className: "soft" }, text),
    make("ol", {}, ...items),
  );
}

function pairBlock(pair) {
  const { user_handle: user, similar_user_handle: other } = pair;
  const added = Object.entries(pair.facets).filter(([, value]) => value > 0);
  const largest = Math.max(...added.map(([, value]) => value));
  const rows = added.map(([facet, value]) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, facetName(facet)),
      make("td", {}, make("div", { className: "bar", aria: { "aria-hidden": "true" } }, ...parts({ [facet]: value }, largest))),
      make("td", {}, value.toFixed(3)),
    ),
  );
  const reasons = make("ul", { className: "words" });
  const actions = make("div", { className: "actions" });
  const showReasons = (number) =>
    reasons.replaceChildren(...pair.reasons.slice(0, number).map((reason) => reasonItem(reason, user, other)));
  showReasons(SHOWN_REASONS);
  if (pair.reasons.length > SHOWN_REASONS) {
    const more = make("button", { type: "button", className: "plain" }, `Show all ${pair.reasons.length} reasons`);
    more.addEventListener("click", () => {
      showReasons(pair.reasons.length);
      more.remove();
    });
    actions.append(more);
  }
  actions.append(userLink(other, `Similar users of user ${other}`));
  return make(
    "div",
    { className: "pair" },
    make("h3", {}, `Everything that users ${user} and ${other} have in common`),
    make("table", { aria: { "aria-label": "What each facet adds" } }, make("tbody", {}, ...rows)),
    reasons,
    actions,
  );
}

function showProblem(problem, user) {
  byId("key").hidden = problem.status !== 401;
  let { title, message } = problem;
  if (problem.status === 401) {
    const wasSent = sessionStorage.getItem(KEY) !== null;
    title = wasSent ? "This key is wrong" : "This server needs a key";
    message = wasSent ? "The server does not accept this key; type another one." : "Type the key below to continue.";
  } else if (problem.status === 404) {
    title = "Unknown user";
    message = `There is no user ${user} in the warehouse.`;
  } else if (problem.status === 422) {
    title = "This is not a user handle";
    message = "A handle has up to 200 characters.";
  }
  byId("message").replaceChildren(make("div", { className: "notice bad" }, make("strong", {}, title), message));
}

function closePair(card) {
  card.classList.remove("open");
  card.querySelector(".pair")?.remove();
}

async function showPair() {
  const query = new URLSearchParams(location.search);
  const [user, other] = [query.get("user"), query.get("with")];
  for (const card of document.querySelectorAll("#similar li[data-user]")) {
    const isOpen = card.dataset.user === other;
    card.querySelector("button").setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) closePair(card);
  }
  const card = document.querySelector(`#similar li[data-user="${CSS.escape(other ?? "")}"]`);
  if (!card || card.querySelector(".pair")) return;
  try {
    const block = pairBlock(await ask(`users/${encodeURIComponent(user)}/similar/${encodeURIComponent(other)}`));
    const isStillOpen = new URLSearchParams(location.search).get("with") === other;
    if (isStillOpen && !card.querySelector(".pair")) card.append(block);
    card.classList.toggle("open", isStillOpen); // the open pair repeats the reasons of the card, which are hidden then
  } catch (problem) {
    showProblem(problem, other);
  }
}

async function showUser(user, turn) {
  const path = `users/${encodeURIComponent(user)}`;
  const [profile, { similar }, { courses }] = await Promise.all([
    ask(path),
    ask(`${path}/similar?limit=20`),
    ask(`${path}/courses?limit=10`),
  ]);
  if (turn !== latestTurn) return;
  facets = Object.keys(profile.profile);
  byId("answer").replaceChildren(
    profileSection(profile),
    make(
      "div",
      { className: "columns" },
      similarSection(profile.user_handle, similar, profile.cluster_id),
      coursesSection(profile.user_handle, courses),
    ),
  );
  await showPair();
}

async function showIntro(turn) {
  const { users } = await ask("users?limit=8");
  if (turn !== latestTurn) return;
  byId("answer").replaceChildren(
    make(
      "section",
      { className: "intro card" },
      make("h1", {}, "Who is most like a user, and why?"),
      make("p", {}, "Type a user handle to see similar users, what they have in common, and courses to take."),
      make("p", { className: "soft" }, "For example:"),
      make("p", { className: "chips" }, ...users.map((user) => userLink(user.user_handle, String(user.user_handle), "chip"))),
    ),
  );
}

async function showFooter() {
  const health = await ask("health").catch(() => null);
  if (health === null) return;
  const built = health.built_at.slice(0, 16).replace("T", " ");
  byId("footer").textContent =
    `${health.users.toLocaleString("en-GB")} users · version ${health.version}, built ${built} UTC · ` +
    `Kindred ${health.code_version}`;
}

async function show() {
  const turn = ++latestTurn;
  const user = new URLSearchParams(location.search).get("user")?.trim();
  byId("user").value = user ?? "";
  document.title = user ? `User ${user} · Kindred` : "Kindred";
  byId("message").replaceChildren();
  byId("answer").setAttribute("aria-busy", "true");
  try {
    await (user ? showUser(user, turn) : showIntro(turn));
    if (turn === latestTurn) byId("key").hidden = true;
  } catch (problem) {
    if (turn !== latestTurn) return;
    byId("answer").replaceChildren();
    showProblem(problem, user);
  } finally {
    byId("answer").removeAttribute("aria-busy");
  }
}

byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  goTo(byId("user").value.trim());
  show();
});
byId("key").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, byId("key-input").value);
  show();
});
addEventListener("popstate", show);
show();
showFooter();
