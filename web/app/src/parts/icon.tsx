// The page's icons, drawn by hand on a 24 × 24 grid. They decorate: the control beside them carries the name.

const SHAPES = {
  microphone:
    "M12 3.5a2.8 2.8 0 0 1 2.8 2.8v5a2.8 2.8 0 0 1-5.6 0v-5A2.8 2.8 0 0 1 12 3.5ZM6 11.2a6 6 0 0 0 12 0M12 17.2v3.3M9 20.5h6",
  microphoneOff:
    "M14.8 10V6.3a2.8 2.8 0 0 0-5.4-1M9.2 9.5v1.8a2.8 2.8 0 0 0 4.4 2.3M6 11.2a6 6 0 0 0 9.6 4.8M18 11.2a6 6 0 0 1-.6 2.6M12 17.2v3.3M9 20.5h6M4 4l16 16",
  camera:
    "M5.5 6.5h7.6a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H5.5a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2ZM15.1 11l5.4-3.2v8.4L15.1 13",
  cameraOff:
    "M8.5 6.5h4.6a2 2 0 0 1 2 2V13M15.1 11l5.4-3.2v8.4l-2.4-1.4M14.6 16.8a2 2 0 0 1-1.5.7H5.5a2 2 0 0 1-2-2v-7a2 2 0 0 1 1.6-2M4 4l16 16",
  screen:
    "M5 5h14a1.5 1.5 0 0 1 1.5 1.5v8A1.5 1.5 0 0 1 19 16H5a1.5 1.5 0 0 1-1.5-1.5v-8A1.5 1.5 0 0 1 5 5ZM8.5 19.5h7M12 13V8M9.6 10.2 12 7.8l2.4 2.4",
  screenOff:
    "M5 5h14a1.5 1.5 0 0 1 1.5 1.5v8A1.5 1.5 0 0 1 19 16H5a1.5 1.5 0 0 1-1.5-1.5v-8A1.5 1.5 0 0 1 5 5ZM8.5 19.5h7M9.8 8.3l4.4 4.4M14.2 8.3l-4.4 4.4",
  phone:
    "M7.6 3.8 9.6 8 7.7 9.7a12.6 12.6 0 0 0 6.6 6.6L16 14.4l4.2 2v3.1a1.4 1.4 0 0 1-1.5 1.4C10.6 20.5 3.5 13.4 3.1 5.3A1.4 1.4 0 0 1 4.5 3.8Z",
  hangUp:
    "M3.2 14.7c-.8-.8-.7-2 .1-2.8 4.9-4.5 12.5-4.5 17.4 0 .8.8.9 2 .1 2.8l-1.2 1.2c-.5.5-1.3.6-1.9.2l-2.1-1.3a1.4 1.4 0 0 1-.7-1.2v-1.7a11 11 0 0 0-5.8 0v1.7c0 .5-.3.9-.7 1.2l-2.1 1.3c-.6.4-1.4.3-1.9-.2Z",
  send: "M4 12 20 4.5 15.5 20l-3.5-6.2ZM12 13.8 20 4.5",
  file: "M17.5 11.5 11.7 17.3a3.6 3.6 0 0 1-5.1-5.1l6.7-6.7a2.4 2.4 0 0 1 3.4 3.4l-6.7 6.7a1.2 1.2 0 0 1-1.7-1.7l5.8-5.8",
  statistics: "M4 4v16h16M8 16v-3.5M12 16V8M16 16v-6",
  inspector: "M6 4v16M18 4v16M6 8.5h11M14.5 6 17 8.5 14.5 11M18 15.5H7M9.5 13 7 15.5 9.5 18",
  close: "M6 6l12 12M18 6 6 18",
  check: "M5 12.5 10 17.5 19.5 7",
  copy: "M9 8.5h9a1.5 1.5 0 0 1 1.5 1.5v9a1.5 1.5 0 0 1-1.5 1.5H9A1.5 1.5 0 0 1 7.5 19v-9A1.5 1.5 0 0 1 9 8.5ZM16 8.5V5A1.5 1.5 0 0 0 14.5 3.5H5A1.5 1.5 0 0 0 3.5 5v9.5A1.5 1.5 0 0 0 5 16h2.5",
  incoming: "M18.5 5.5 6.5 17.5M6.5 8.5v9h9",
  outgoing: "M5.5 18.5 17.5 6.5M8.5 6.5h9v9",
  missed: "M4 7.5l7 7 8.5-8.5M14 6h5.5v5.5M4 7.5V13",
  warning: "M12 4.5 20.8 19.5H3.2ZM12 10v4.5M12 17v.2",
  server:
    "M5 4.5h14a1 1 0 0 1 1 1v4a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1v-4a1 1 0 0 1 1-1ZM5 13.5h14a1 1 0 0 1 1 1v4a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1v-4a1 1 0 0 1 1-1ZM7.5 7.5h.2M7.5 16.5h.2",
  browser:
    "M5 5h14a1.5 1.5 0 0 1 1.5 1.5v11A1.5 1.5 0 0 1 19 19H5a1.5 1.5 0 0 1-1.5-1.5v-11A1.5 1.5 0 0 1 5 5ZM3.5 9h17M6.5 7h.2M9 7h.2",
  download: "M12 4v11M7.5 11l4.5 4.5 4.5-4.5M4.5 19.5h15",
  sound: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5ZM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
  leave: "M13.5 4.5h-7A1.5 1.5 0 0 0 5 6v12a1.5 1.5 0 0 0 1.5 1.5h7M10 12h10M16.5 8.5 20 12l-3.5 3.5",
  chevron: "M8 10l4 4 4-4",
} as const;

export type IconName = keyof typeof SHAPES;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={SHAPES[name]} />
    </svg>
  );
}

/** Two people and the line between them. */
export function Logo() {
  return (
    <svg class="logo-mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect class="logo-ground" width="32" height="32" rx="9" />
      <path class="logo-line" d="M9.5 20.5C9.5 12 22.5 20 22.5 11.5" />
      <circle class="logo-me" cx="9.5" cy="21.5" r="3.6" />
      <circle class="logo-peer" cx="22.5" cy="10.5" r="3.6" />
    </svg>
  );
}
