// Brings the part of the page with id "live" up to date, every data-seconds, until it is marked data-finished.
// The server has escaped everything in it already.
const region = () => document.getElementById("live");

// What a link or a form's button has in common with the one that takes its place.
function identify(element) {
  const action = element?.form?.getAttribute("action");
  return action ? `${action} ${element.textContent}` : element?.getAttribute?.("href");
}

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("live");
  if (!fresh || fresh.isEqualNode(region())) return;
  const focused = identify(document.activeElement);
  const scroll = document.querySelector(".stages")?.scrollLeft ?? 0;
  region().replaceWith(document.adoptNode(fresh));
  document.title = page.title;
  const stages = document.querySelector(".stages");
  if (stages) stages.scrollLeft = scroll;
  if (focused) [...region().querySelectorAll("a[href], button")].find((element) => identify(element) === focused)?.focus();
}

async function keepFresh() {
  while (region() && !("finished" in region().dataset)) {
    await new Promise((wake) => setTimeout(wake, 1000 * Number(region().dataset.seconds || 3)));
    await refresh().catch(() => undefined); // the next try may do better
  }
}

keepFresh();
