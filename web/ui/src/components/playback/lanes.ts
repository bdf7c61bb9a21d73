/** What the lanes show, in the words of the page. */

export interface ExamMark {
  id: string
  title: string
  /** With lead-in and lead-out. */
  start: number
  end: number
  examStart: number
  examEnd: number
}

export interface CoverageLane {
  camera: string
  name: string
  runs: { start: number; end: number }[]
  holes: { start: number; end: number; words: string }[]
}

export interface LaneEvent {
  id: string
  start: number
  end: number
  shape: string
  tone: 'high' | 'medium' | 'low' | 'mark'
  words: string
}
