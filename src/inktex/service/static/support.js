// Says so, in one sentence, where a browser is too old for the page. Plain JavaScript, for that browser.
(function () {
  var modern =
    "MathMLElement" in window &&
    "PointerEvent" in window &&
    window.AbortSignal &&
    "any" in window.AbortSignal;
  if (!modern || !("popover" in HTMLElement.prototype)) document.getElementById("unsupported").hidden = false;
})();
