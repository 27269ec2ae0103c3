/** What the demo prints: steps of a story, with what the service answered. */
let chapters = 0;

export const chapter = (title: string): void => console.log(`\n${++chapters}. ${title}`);
export const say = (text: string): void => console.log(`   ${text}`);

/** Ids are long: their kind and their last characters tell them apart. */
export const short = (id: string): string => `${id.slice(0, 4)}…${id.slice(-6)}`;
