// htmx would put a style element into every page, which the pages' policy refuses; and it need not evaluate anything.
if (window.htmx) {
  htmx.config.includeIndicatorStyles = false;
  htmx.config.allowEval = false;
}
