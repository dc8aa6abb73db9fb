// What this browser remembers, if it may: storage can be blocked.

export function kept(name) {
  try {
    return localStorage.getItem(`belfry ${name}`);
  } catch {
    return null;
  }
}

/** null forgets it. */
export function keep(name, value) {
  try {
    if (value === null) localStorage.removeItem(`belfry ${name}`);
    else localStorage.setItem(`belfry ${name}`, value);
  } catch {
    // then it is asked again
  }
}
