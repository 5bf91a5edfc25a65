// Runs before the first paint, so it is a classic script of its own and as short as can be.
try {
  const theme = localStorage.getItem('tl.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch { /* storage is off */ }
