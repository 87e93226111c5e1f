// Shows how far an upload is, and takes a dropped file. Without this script the form works all the same.
"use strict";
(() => {
  const form = document.querySelector("form.upload");
  const input = form.elements.pdf;
  const box = form.querySelector(".sending");
  const bar = box.querySelector("progress");
  const said = box.querySelector("p");
  const button = form.querySelector("button");

  const tell = (sentence, share) => {
    box.hidden = false;
    bar.hidden = share === null;
    if (share !== null) bar.value = share;
    said.textContent = sentence;
  };
  const stop = (sentence) => {
    tell(sentence, null);
    button.disabled = false;
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const file = input.files[0];
    if (!file) return;
    if (file.size > Number(form.dataset.limit)) return stop(form.dataset.large);
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (step) => {
      if (!step.lengthComputable) return;
      const share = step.loaded / step.total;
      tell(share < 1 ? `${form.dataset.sending} ${Math.floor(share * 100)}%` : form.dataset.checking, share);
    });
    request.addEventListener("load", () => {
      // the answer is a whole page of ours, without a script of its own but this one
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      const main = page.querySelector("main");
      if (!main) return stop(form.dataset.failed);
      if (main.querySelector("form.upload")) {
        const alert = main.querySelector("[role=alert]");
        return stop(alert ? alert.textContent.trim() : form.dataset.failed);
      }
      document.title = page.title;
      document.querySelector("main").replaceWith(document.adoptNode(main));
      document.querySelector(".foot").replaceWith(document.adoptNode(page.querySelector(".foot")));
      const heading = document.querySelector("h1");
      heading.tabIndex = -1;
      heading.focus();
    });
    request.addEventListener("error", () => stop(form.dataset.failed));
    request.open("POST", form.action);
    button.disabled = true;
    tell(`${form.dataset.sending} 0%`, 0);
    request.send(new FormData(form));
  });

  for (const name of ["dragover", "dragenter"]) {
    form.addEventListener(name, (event) => {
      event.preventDefault();
      form.classList.add("over");
    });
  }
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    if (event.dataTransfer.files.length) {
      input.files = event.dataTransfer.files;
      form.requestSubmit();
    }
  });
})();
