import type { ReactNode } from 'react'

const SCENES = ['river', 'hills', 'town', 'coast'] as const
type Scene = (typeof SCENES)[number]

const FOREGROUND: Record<Scene, ReactNode> = {
  river: (
    <>
      <path className="scene-far" d="M0 96c50-14 90-14 140-2s110 12 180-6v72H0z" />
      <path className="scene-water" d="M0 122h320v38H0z" />
      <path
        className="scene-near"
        d="M0 118h320v7H0zM40 118c0-26 50-26 50 0h10c0-30 54-30 54 0h10c0-30 54-30 54 0h10c0-26 50-26 50 0v16h-12c0-24-30-24-32 0h-22c0-26-36-26-38 0h-26c0-26-36-26-38 0H96c-2-24-32-24-34 0H40z"
      />
      <path className="scene-glint" d="M24 146h54M120 152h80M230 144h62" />
    </>
  ),
  hills: (
    <>
      <path className="scene-far" d="M0 110 70 62l44 30 62-56 70 62 74-34v86H0z" />
      <path className="scene-mid" d="M0 122c60-30 120-30 180-6s100 14 140-4v48H0z" />
      <path className="scene-near" d="M0 144c70-22 150-16 210-4s80 6 110-2v22H0z" />
    </>
  ),
  town: (
    <>
      <path
        className="scene-far"
        d="M0 104h34V78h30v26h26V62l14-16 14 16v42h36V70h40v34h30V84h34v20h62v56H0z"
      />
      <path
        className="scene-mid"
        d="M0 122h26v-20h40v20h30v-32l22-18 22 18v32h34v-16h48v16h28v-26h36v26h34v38H0z"
      />
      <path className="scene-near" d="M0 146h320v14H0z" />
      <path className="scene-glint" d="M112 108v10M124 108v10M44 110v6M236 112v6M192 114v5" />
    </>
  ),
  coast: (
    <>
      <path className="scene-water" d="M0 104h320v56H0z" />
      <path className="scene-far" d="M210 104c20-26 60-40 110-38v38z" />
      <path
        className="scene-near"
        d="M0 160v-34c50-8 96 4 130 34zM150 100l26-48v48zM180 100V44l34 56zM140 106h84l-14 14h-58z"
      />
      <path className="scene-glint" d="M60 116h40M236 124h50M176 140h70" />
    </>
  ),
}

/** A picture for a tour that has none: always the same one for the same tour. */
export function TourScene({ tourId }: { tourId: string }): ReactNode {
  const number = hash(tourId)
  const scene = SCENES[number % SCENES.length] ?? 'hills'
  return (
    <svg
      className={`scene scene-hour-${Math.floor(number / SCENES.length) % 3}`}
      viewBox="0 0 320 160"
      preserveAspectRatio="xMidYMax slice"
      aria-hidden="true"
      focusable="false"
    >
      <rect className="scene-sky" width="320" height="160" />
      <circle className="scene-sun" cx={70 + (number % 180)} cy="46" r="20" />
      {FOREGROUND[scene]}
    </svg>
  )
}

function hash(text: string): number {
  let sum = 7
  for (const character of text) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 65_521
  return sum
}
