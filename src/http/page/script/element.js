/** Makes an element. Children are elements or texts, and a text is never read as markup. */
export const element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};

export const find = (selector, within = document) => within.querySelector(selector);

const shown = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** A moment as people here write it. */
export const moment = (instant) => element('time', { datetime: instant }, shown.format(new Date(instant)));

/** A row of a list: what it is, smaller words about it, and what can be done with it. */
export const row = (name, about, ...acts) =>
  element(
    'li',
    {},
    element('div', { class: 'what' }, ...name, element('small', {}, ...about)),
    element('div', { class: 'acts' }, ...acts),
  );

/** Puts rows in the place of what was there, or says that there is none. */
export const showRows = (place, rows, none) =>
  place.replaceChildren(rows.length === 0 ? element('p', { class: 'empty' }, none) : element('ul', { class: 'list' }, ...rows));

/** A choice among a few words. `label` is for those who do not see where it stands. */
export const choice = (label, options, chosen) => {
  const made = element('select', { 'aria-label': label }, ...options.map((each) => element('option', { value: each }, each)));
  made.value = chosen;
  return made;
};

/** Something that is shown once and is to be taken along. */
export const secret = (words, text) => {
  const code = element('code', {}, text);
  const copy = element('button', { type: 'button', class: 'small' }, 'Copy');
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = 'Copied';
    } catch {
      // Not every page may write there: what is selected the person can copy.
      getSelection().selectAllChildren(code);
    }
  });
  return element('div', { class: 'secret', role: 'status' }, element('p', {}, words), code, copy);
};
