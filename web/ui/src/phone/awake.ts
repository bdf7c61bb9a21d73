/** Keeping the screen lit while somebody is on duty, where the device can. */

export const canStayAwake = (): boolean => 'wakeLock' in navigator

export class Awake {
  private lock: WakeLockSentinel | null = null
  private isWanted = false

  /** Keep the screen lit or let it go dark; false when the device refuses. */
  async want(isWanted: boolean): Promise<boolean> {
    this.isWanted = isWanted
    if (isWanted) return this.hold()
    await this.lock?.release().catch(() => {})
    this.lock = null
    return true
  }

  /** The page is seen again: a hidden page has lost its hold. */
  async renew(): Promise<void> {
    if (this.isWanted && document.visibilityState === 'visible') await this.hold()
  }

  private async hold(): Promise<boolean> {
    if (this.lock && !this.lock.released) return true
    try {
      this.lock = await navigator.wakeLock.request('screen')
      return true
    } catch {
      return false
    }
  }
}
