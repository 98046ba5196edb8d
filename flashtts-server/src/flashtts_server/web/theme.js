// Sets light or dark before the page is drawn, so that it does not flash. A classic script, for that reason.
document.documentElement.dataset.theme = localStorage.getItem("flashtts-theme") ?? "auto";
