import type { ReactNode } from 'react'

type Scene = {
  readonly sky: 1 | 2 | 3
  readonly sunX: number
  readonly sunY: number
  readonly ground: ReactNode
}

const ISLAND = (
  <>
    <path className="scene-water" d="M0 112h320v48H0z" />
    <path
      className="scene-mid"
      d="M92 114c14-4 20-14 34-18 10-3 14-12 24-14h22c10 2 14 11 24 14 14 4 20 14 34 18z"
    />
    <path
      className="scene-near"
      d="M116 104h12V92h14V78h10V62l9-34 9 34v16h10v14h14v12h14c6 3 10 6 14 10H102c4-4 8-7 14-10z"
    />
    <path className="scene-glint" d="M40 128h60M130 140h84M232 126h46M70 150h40" />
  </>
)
const RIVER = (
  <>
    <path className="scene-far" d="M0 96c50-14 90-14 140-2s110 12 180-6v72H0z" />
    <path className="scene-water" d="M0 120h320v40H0z" />
    <path
      className="scene-near"
      fillRule="evenodd"
      d="M0 92c110-12 210-12 320 0v36H0zM18 128a34 26 0 0 1 68 0zM100 128a34 28 0 0 1 68 0zM182 128a34 28 0 0 1 68 0zM264 128a28 24 0 0 1 56 0z"
    />
    <path className="scene-glint" d="M24 146h54M120 152h80M230 144h62" />
  </>
)
const CASTLE = (
  <>
    <path className="scene-far" d="M0 112c60-22 130-22 190-8s100 8 130-2v58H0z" />
    <path
      className="scene-near"
      d="M84 138V84l12-26 12 26v14h22V76l14-30 14 30v22h24V76l14-30 14 30v22h22V84l12-26 12 26v54z"
    />
    <path className="scene-mid" d="M0 138c90-10 230-10 320 0v22H0z" />
    <path className="scene-glint" d="M96 104v8M144 112v10M196 112v10M246 104v8M170 122v8" />
  </>
)
const FIELD = (
  <>
    <path className="scene-far" d="M0 92c70-26 150-22 210-6s80 4 110-6v80H0z" />
    <path className="scene-bloom" d="M0 108c100-14 220-14 320 0v52H0z" />
    <path
      className="scene-furrow"
      d="M160 101C150 120 120 140 70 160M160 101c-24 14-74 34-160 47M160 101c-2 20-6 40-10 59M160 101c8 20 36 40 90 59M160 101c26 14 76 32 160 43M160 101c4 20 14 40 40 59"
    />
  </>
)
const PEAKS = (
  <>
    <path className="scene-far" d="M0 118 62 58l34 30 70-72 62 66 36-28 56 58v48H0z" />
    <path
      className="scene-snow"
      d="m166 16 30 32-14-4-10 12-12-10-14 8-10-8zM62 58l18 16-12-2-10 8-10-8zM264 54l18 19-10-3-8 7-9-6z"
    />
    <path className="scene-mid" d="M0 130c60-30 120-26 180-8s100 12 140-8v46H0z" />
    <path className="scene-near" d="M0 148c70-18 150-14 210-4s80 4 110-4v20H0z" />
  </>
)
const GARDEN = (
  <>
    <path className="scene-far" d="M0 108c46-34 92-34 138-6 60-40 120-34 182 2v56H0z" />
    <path className="scene-mid" d="M0 132c80-16 240-16 320 0v28H0z" />
    <path
      className="scene-gate"
      d="M96 62c42 8 86 8 128 0l4 12c-44 7-92 7-136 0zM106 86h108v8H106zM118 74h11v70h-11zM191 74h11v70h-11z"
    />
    <path className="scene-glint" d="M36 148h40M140 152h44M246 146h44" />
  </>
)
const DHOW = (
  <>
    <path className="scene-far" d="M196 108V84h12V70h14v22h12V58l6-16 6 16v38h14V78h16v30h14V92h20v16z" />
    <path className="scene-water" d="M0 106h320v54H0z" />
    <path
      className="scene-near"
      d="M60 112c30 8 70 8 110-6-6 16-16 26-30 28H92c-14-2-26-10-32-22zM120 106V30h4v76z"
    />
    <path className="scene-snow" d="M118 34c-6 30-22 52-52 64h52zM128 40c22 18 34 36 36 56h-36z" />
    <path className="scene-glint" d="M36 144h54M150 150h76M232 128h50" />
  </>
)

const SCENES: readonly Scene[] = [
  { sky: 1, sunX: 262, sunY: 44, ground: ISLAND },
  { sky: 3, sunX: 78, sunY: 40, ground: RIVER },
  { sky: 1, sunX: 60, sunY: 42, ground: CASTLE },
  { sky: 2, sunX: 236, sunY: 58, ground: FIELD },
  { sky: 1, sunX: 252, sunY: 34, ground: PEAKS },
  { sky: 3, sunX: 160, sunY: 40, ground: GARDEN },
  { sky: 2, sunX: 232, sunY: 74, ground: DHOW },
]

/** A picture for the tour at this place of the list; tours carry none of their own. */
export function TourScene({ position }: { position: number }): ReactNode {
  const scene = SCENES[position % SCENES.length]
  if (!scene) return null
  return (
    <svg
      className={`scene scene-sky-${scene.sky}`}
      viewBox="0 0 320 160"
      preserveAspectRatio="xMidYMax slice"
      aria-hidden="true"
      focusable="false"
    >
      <rect className="scene-sky" width="320" height="160" />
      <circle className="scene-sun" cx={scene.sunX} cy={scene.sunY} r="20" />
      {scene.ground}
    </svg>
  )
}
