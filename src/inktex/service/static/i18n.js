// The words of the page in its languages.

/** @typedef {"en" | "de" | "fr" | "zh"} Language */

/** @type {Record<Language, string>} */
export const LANGUAGES = { en: "English", de: "Deutsch", fr: "Français", zh: "中文" };

/** @type {Record<string, [string, string, string, string]>} in the order of LANGUAGES */
const TEXTS = {
  sheet: ["Sheet", "Blatt", "Feuille", "纸张"],
  sheetActions: ["Sheet actions", "Aktionen für das Blatt", "Actions sur la feuille", "纸张操作"],
  sheetLabel: ["Sheet to write on", "Blatt zum Schreiben", "Feuille où écrire", "书写区"],
  sheetHelp: [
    "Write with pen, finger or mouse. P pen, E eraser, S select, arrows move, plus and minus zoom, Delete removes.",
    "Schreiben mit Stift, Finger oder Maus. P Stift, E Radierer, S Auswahl, Pfeile verschieben, Plus und Minus zoomen, Entf löscht.",
    "Écrivez au stylet, au doigt ou à la souris. P stylo, E gomme, S sélection, flèches pour déplacer, plus et moins pour zoomer, Suppr efface.",
    "用笔、手指或鼠标书写。P 笔,E 橡皮,S 选择,方向键移动,加减号缩放,Delete 删除。",
  ],
  tools: ["Tools", "Werkzeuge", "Outils", "工具"],
  pen: ["Pen (P)", "Stift (P)", "Stylo (P)", "笔 (P)"],
  eraser: ["Eraser (E)", "Radierer (E)", "Gomme (E)", "橡皮 (E)"],
  select: [
    "Select and move (S)",
    "Auswählen und verschieben (S)",
    "Sélectionner et déplacer (S)",
    "选择与移动 (S)",
  ],
  undo: ["Undo (Ctrl+Z)", "Rückgängig (Strg+Z)", "Annuler (Ctrl+Z)", "撤销 (Ctrl+Z)"],
  redo: ["Redo (Ctrl+Y)", "Wiederholen (Strg+Y)", "Rétablir (Ctrl+Y)", "重做 (Ctrl+Y)"],
  clear: ["Clear the sheet", "Blatt leeren", "Vider la feuille", "清空"],
  zoomIn: ["Zoom in", "Vergrößern", "Agrandir", "放大"],
  zoomOut: ["Zoom out", "Verkleinern", "Réduire", "缩小"],
  zoomFit: ["Show all", "Alles zeigen", "Tout afficher", "显示全部"],
  remove: ["Delete", "Löschen", "Supprimer", "删除"],
  picture: ["Picture", "Bild", "Image", "图片"],
  camera: ["Camera", "Kamera", "Appareil photo", "相机"],
  history: ["Recent", "Verlauf", "Récents", "历史"],
  historyWhere: [
    "Kept in this browser only.",
    "Nur in diesem Browser gespeichert.",
    "Conservé dans ce navigateur uniquement.",
    "仅保存在此浏览器中。",
  ],
  historyEmpty: ["Nothing read yet.", "Noch nichts gelesen.", "Rien n’a encore été lu.", "还没有识别记录。"],
  save: ["Save sheet", "Blatt sichern", "Enregistrer", "保存"],
  webPage: ["Web page", "Webseite", "Page web", "网页"],
  settings: ["Settings", "Einstellungen", "Réglages", "设置"],
  language: ["Language", "Sprache", "Langue", "语言"],
  theme: ["Colours", "Farben", "Couleurs", "外观"],
  themeAuto: ["As the device", "Wie das Gerät", "Comme l’appareil", "跟随系统"],
  themeLight: ["Light", "Hell", "Clair", "浅色"],
  themeDark: ["Dark", "Dunkel", "Sombre", "深色"],
  paper: ["Paper", "Papier", "Papier", "纸张"],
  paperGrid: ["Dots", "Punkte", "Points", "点阵"],
  paperRuled: ["Ruled", "Liniert", "Lignes", "横线"],
  paperPlain: ["Plain", "Blanko", "Uni", "空白"],
  welcome: [
    "Write a formula here",
    "Hier eine Formel schreiben",
    "Écrivez une formule ici",
    "在这里书写公式",
  ],
  welcomeMore: [
    "It is read when you pause.",
    "Sie wird gelesen, sobald Sie innehalten.",
    "Elle est lue dès que vous faites une pause.",
    "停笔后自动识别。",
  ],
  dropHere: [
    "Drop the picture to read it",
    "Bild loslassen, um es zu lesen",
    "Déposez l’image pour la lire",
    "松开以识别图片",
  ],
  results: ["Formulas", "Formeln", "Formules", "公式"],
  empty: [
    "What you write appears here, typeset.",
    "Was Sie schreiben, erscheint hier im Satz.",
    "Ce que vous écrivez apparaît ici, mis en forme.",
    "您写的公式会排版显示在这里。",
  ],
  tipScratch: [
    "Scratch something out to erase it.",
    "Durchkritzeln löscht.",
    "Raturez pour effacer.",
    "来回涂划即可擦除。",
  ],
  tipTap: [
    "Tap a symbol of the result to change it.",
    "Ein Zeichen im Ergebnis antippen, um es zu ändern.",
    "Touchez un symbole du résultat pour le changer.",
    "点按结果中的符号即可更改。",
  ],
  tipPicture: [
    "Paste or drop a picture of a formula.",
    "Das Bild einer Formel einfügen oder hierher ziehen.",
    "Collez ou déposez l’image d’une formule.",
    "可粘贴或拖入公式图片。",
  ],
  formula: ["Formula {n}", "Formel {n}", "Formule {n}", "公式 {n}"],
  formulaHelp: [
    "{latex}. Left and right arrow go through the symbols, Enter shows what else one may be.",
    "{latex}. Pfeil links und rechts gehen durch die Zeichen, Eingabe zeigt, was eines noch sein kann.",
    "{latex}. Flèches gauche et droite pour parcourir les symboles, Entrée montre les autres possibilités.",
    "{latex}。左右方向键移动到符号,回车显示其他可能。",
  ],
  reading: ["Reading …", "Wird gelesen …", "Lecture …", "识别中…"],
  waiting: ["Writing …", "Sie schreiben …", "Vous écrivez …", "书写中…"],
  sure: ["Clear", "Eindeutig", "Net", "清晰"],
  fair: ["Please check", "Bitte prüfen", "À vérifier", "请核对"],
  doubtful: ["Unsure", "Unsicher", "Incertain", "不确定"],
  edited: ["Edited", "Bearbeitet", "Modifié", "已编辑"],
  failed: ["Not read", "Nicht gelesen", "Non lu", "未识别"],
  sureness: ["{percent} % sure", "zu {percent} % sicher", "sûr à {percent} %", "把握 {percent}%"],
  check: ["Check:", "Prüfen:", "Vérifier :", "请核对:"],
  symbolUnsure: ["{symbol}, unsure", "{symbol}, unsicher", "{symbol}, incertain", "{symbol},不确定"],
  unknown: [
    "Part of this is not known to the model, so the result may leave it out.",
    "Ein Teil davon ist dem Modell unbekannt und fehlt vielleicht im Ergebnis.",
    "Une partie est inconnue du modèle et peut manquer dans le résultat.",
    "其中有模型不认识的内容,结果可能不完整。",
  ],
  nothing: [
    "Nothing could be read here.",
    "Hier war nichts zu lesen.",
    "Rien n’a pu être lu ici.",
    "此处未能识别出内容。",
  ],
  latexField: ["LaTeX", "LaTeX", "LaTeX", "LaTeX"],
  latexWrong: [
    "This LaTeX is not complete yet.",
    "Dieses LaTeX ist noch nicht vollständig.",
    "Ce LaTeX n’est pas encore complet.",
    "此 LaTeX 尚不完整。",
  ],
  copy: ["Copy", "Kopieren", "Copier", "复制"],
  copyAs: ["Copy as", "Kopieren als", "Copier en", "复制为"],
  forWord: ["for Word", "für Word", "pour Word", "用于 Word"],
  copied: ["Copied: {what}", "Kopiert: {what}", "Copié : {what}", "已复制:{what}"],
  saved: ["Saved: {what}", "Gesichert: {what}", "Enregistré : {what}", "已保存:{what}"],
  copyFailed: [
    "The browser did not allow copying.",
    "Der Browser hat das Kopieren nicht erlaubt.",
    "Le navigateur n’a pas autorisé la copie.",
    "浏览器不允许复制。",
  ],
  choices: ["What else it may be", "Was es noch sein kann", "Autres possibilités", "其他可能"],
  choicesFor: ["Instead of {symbol}", "Statt {symbol}", "Au lieu de {symbol}", "替换 {symbol}"],
  noChoices: ["No other idea.", "Keine andere Idee.", "Pas d’autre idée.", "没有其他候选。"],
  typeIt: ["Type it …", "Eintippen …", "Saisir …", "手动输入…"],
  others: ["Other readings ({n})", "Andere Lesarten ({n})", "Autres lectures ({n})", "其他结果({n})"],
  wasRight: ["Was this right?", "War das richtig?", "Est-ce juste ?", "结果正确吗?"],
  yes: ["Yes", "Ja", "Oui", "是"],
  no: ["No", "Nein", "Non", "否"],
  mend: [
    "Correct it above, then keep it.",
    "Oben berichtigen, dann behalten.",
    "Corrigez ci-dessus, puis gardez.",
    "请在上方更正,然后保存。",
  ],
  keepIt: ["Keep", "Behalten", "Garder", "保存"],
  thanks: [
    "Kept with its ink, in this browser.",
    "Mit der Tinte in diesem Browser behalten.",
    "Gardé avec son encre, dans ce navigateur.",
    "已连同笔迹保存在此浏览器中。",
  ],
  offline: [
    "The recognizer cannot be reached. Your ink is safe; it is read when the connection is back.",
    "Die Erkennung ist nicht erreichbar. Ihre Tinte bleibt; sie wird gelesen, sobald die Verbindung wieder steht.",
    "La reconnaissance est injoignable. Votre encre est conservée et sera lue au retour de la connexion.",
    "无法连接识别服务。笔迹不会丢失,恢复连接后将自动识别。",
  ],
  busy: [
    "Many are writing just now. This is tried again by itself.",
    "Gerade schreiben viele. Es wird von selbst noch einmal versucht.",
    "Beaucoup écrivent en ce moment. Nouvel essai automatique.",
    "当前使用人数较多,将自动重试。",
  ],
  troubled: [
    "Something went wrong while reading.",
    "Beim Lesen ging etwas schief.",
    "La lecture a échoué.",
    "识别时出现问题。",
  ],
  refused: ["This cannot be read:", "Das lässt sich nicht lesen:", "Lecture impossible :", "无法识别:"],
  keyNeeded: [
    "This service wants a key:",
    "Dieser Dienst verlangt einen Schlüssel:",
    "Ce service demande une clé :",
    "此服务需要密钥:",
  ],
  ok: ["OK", "OK", "OK", "确定"],
  tryAgain: ["Try again", "Noch einmal", "Réessayer", "重试"],
  broken: [
    "{name} is not a picture that this browser can open.",
    "{name} ist kein Bild, das dieser Browser öffnen kann.",
    "{name} n’est pas une image que ce navigateur sait ouvrir.",
    "{name} 不是此浏览器可打开的图片。",
  ],
  pasted: ["What was pasted", "Das Eingefügte", "L’élément collé", "粘贴的内容"],
  noCamera: [
    "The camera cannot be used here.",
    "Die Kamera ist hier nicht verfügbar.",
    "L’appareil photo n’est pas utilisable ici.",
    "此处无法使用相机。",
  ],
  cropHead: ["What is to be read?", "Was soll gelesen werden?", "Que faut-il lire ?", "选择要识别的部分"],
  cropHow: ["What the corners do", "Was die Ecken tun", "Effet des coins", "边角作用"],
  crop: ["Crop", "Zuschneiden", "Rogner", "裁剪"],
  straighten: ["Straighten", "Entzerren", "Redresser", "校正"],
  corner: ["Corner {n} of 4", "Ecke {n} von 4", "Coin {n} sur 4", "第 {n} 角,共 4 角"],
  turnLeft: ["Turn left", "Nach links drehen", "Tourner à gauche", "向左旋转"],
  turnRight: ["Turn right", "Nach rechts drehen", "Tourner à droite", "向右旋转"],
  tilt: ["Tilt", "Neigung", "Inclinaison", "倾斜"],
  read: ["Read", "Lesen", "Lire", "识别"],
  takePicture: ["Take the picture", "Aufnehmen", "Photographier", "拍摄"],
  cancel: ["Cancel", "Abbrechen", "Annuler", "取消"],
  close: ["Close", "Schließen", "Fermer", "关闭"],
  putBack: ["Put on the sheet", "Auf das Blatt legen", "Mettre sur la feuille", "放到纸上"],
  forgetAll: ["Forget all", "Alles vergessen", "Tout oublier", "全部清除"],
  samplesHead: ["Your handwriting", "Ihre Handschrift", "Votre écriture", "您的笔迹"],
  samplesWhat: [
    "Answers to “Was this right?” are kept here with their ink, to improve the model on your own hand.",
    "Antworten auf „War das richtig?“ bleiben hier mit ihrer Tinte, um das Modell an Ihrer Hand zu verbessern.",
    "Les réponses à « Est-ce juste ? » sont gardées ici avec leur encre, pour adapter le modèle à votre main.",
    "“结果正确吗?”的回答连同笔迹保存在这里,可用于让模型适应您的笔迹。",
  ],
  samplesCount: ["Formulas kept: {n}", "Behaltene Formeln: {n}", "Formules gardées : {n}", "已保存公式:{n}"],
  samplesSave: ["Save as InkML", "Als InkML sichern", "Enregistrer en InkML", "保存为 InkML"],
  writer: ["Writer", "Schreiber", "Auteur", "书写者"],
  saidRead: ["Formula {n}: {text}", "Formel {n}: {text}", "Formule {n} : {text}", "公式 {n}:{text}"],
  saidErased: ["Erased", "Gelöscht", "Effacé", "已擦除"],
  saidSelected: ["Selected: {n}", "Ausgewählt: {n}", "Sélection : {n}", "已选择:{n}"],
};

/** @type {Language} */
let language = "en";

/**
 * The best language for a reader.
 * @param {readonly string[]} wanted tags such as "de-CH", the most welcome first
 * @returns {Language}
 */
export function bestLanguage(wanted) {
  for (const tag of wanted) {
    const short = tag.toLowerCase().split("-")[0];
    if (short in LANGUAGES) return /** @type {Language} */ (short);
  }
  return "en";
}

/** @param {Language} chosen */
export function speak(chosen) {
  language = chosen;
}

/** @returns {Language} */
export function spoken() {
  return language;
}

/**
 * A text in the language spoken, with values put in for the names in braces.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  const text = TEXTS[key][Object.keys(LANGUAGES).indexOf(language)];
  return text.replace(/\{(\w+)\}/gu, (_, name) => String(values[name]));
}

/** All texts, for tests. */
export const ALL_TEXTS = TEXTS;

/**
 * Write the texts of elements that name them: data-i18n for what they say, data-i18n-label for their names,
 * data-i18n-title for what is shown when the mouse rests on them.
 * @param {Document} page
 */
export function translate(page) {
  page.documentElement.lang = language === "zh" ? "zh-Hans" : language;
  for (const element of page.querySelectorAll("[data-i18n]")) {
    element.textContent = t(/** @type {HTMLElement} */ (element).dataset.i18n ?? "");
  }
  for (const element of page.querySelectorAll("[data-i18n-label]")) {
    const label = t(/** @type {HTMLElement} */ (element).dataset.i18nLabel ?? "");
    element.setAttribute("aria-label", label);
    if (element.matches("button")) element.setAttribute("title", label);
  }
  for (const element of page.querySelectorAll("[data-i18n-title]")) {
    element.setAttribute("title", t(/** @type {HTMLElement} */ (element).dataset.i18nTitle ?? ""));
  }
}
