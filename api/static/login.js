// An address like /login#token=… logs in by itself. What stands behind # is never sent to a server or written to its logs.
function takeTokenFromAddress() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token) return;
  history.replaceState(null, "", location.pathname + location.search);
  document.getElementById("token").value = token;
  document.getElementById("login").requestSubmit();
}

addEventListener("hashchange", takeTokenFromAddress);
takeTokenFromAddress();
