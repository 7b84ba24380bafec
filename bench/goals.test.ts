import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GOALS, goalRows, judge, judgeAll } from './goals.ts'
import { voidOf, voidRows } from './report.ts'

describe('what a run says of the goals', () => {
  it('takes a figure on the limit as reached where the goal says at least or at most, and not where it says below', () => {
    assert.equal(judge('eventsPerSecond', { value: 11_500 }).verdict, 'reached')
    assert.equal(judge('eventsPerSecond', { value: 11_499 }).verdict, 'not reached')
    assert.equal(judge('answerP99', { value: 25 }).verdict, 'reached')
    assert.equal(judge('answerP99', { value: 25.1 }).verdict, 'not reached')
    assert.equal(judge('memoryPeak', { value: 299.9 }).verdict, 'reached')
    assert.equal(judge('memoryPeak', { value: 300 }).verdict, 'not reached')
  })

  it('judges nothing by a figure that was measured on too little, and shows the figure all the same', () => {
    const tooSmall = '500 streams'
    assert.deepEqual(judge('streamP99', { value: 20, tooSmall }), {
      name: 'streamP99',
      goal: '< 200 ms',
      measured: 20,
      verdict: 'not measured',
      note: tooSmall,
    })
    assert.equal(judge('streamP99', { value: 300, tooSmall }).verdict, 'not measured')
  })

  it('gives a void row no figure: the fastest wrong answer reaches nothing', () => {
    const { verdict, measured } = judge('timesLesson', { value: 20, isVoid: true })
    assert.equal(verdict, 'not reached')
    assert.equal(measured, null)
  })

  it('lists every goal, the ones nothing was measured for too', () => {
    const judged = judgeAll({ shareOfCeiling: { value: 0.44 }, toldP99: { value: Number.NaN } })
    assert.equal(judged.length, Object.keys(GOALS).length)
    assert.deepEqual(
      judged.filter(({ verdict }) => verdict !== 'not measured').map(({ name, verdict }) => [name, verdict]),
      [['shareOfCeiling', 'not reached']],
    )
    const row = goalRows(judged).find(({ name }) => name === GOALS.shareOfCeiling.text)
    assert.equal(row?.cells['measured'], '0.44×')
    assert.equal(row?.cells['goal'], '≥ 0.5×')
  })

  it('counts the void rows of ours, and not those of what we are compared with', () => {
    const row = (problem: string, isBaseline: boolean) => ({
      name: '',
      cells: { payments: problem },
      isBaseline,
    })
    const rows = [row(voidOf(['one too many']), false), row(voidOf([]), false), row(voidOf(['wrong']), true)]
    assert.equal(voidRows([{ title: '', note: '', rows, raw: null }]), 1)
  })
})
