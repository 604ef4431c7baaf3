// The choice between the page's languages, each under its own name.

import { language, t, type Lang } from "../i18n/language";

export function LanguagePicker() {
  return (
    <select
      class="language"
      aria-label={t("language")}
      value={language.current}
      onChange={(event) => language.choose(event.currentTarget.value as Lang)}
    >
      <option value="en" lang="en">
        English
      </option>
      <option value="zh" lang="zh-Hans">
        中文
      </option>
    </select>
  );
}
