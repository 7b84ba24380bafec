import { NavigationType, useNavigationType } from 'react-router'

/** Whether this page was reached by a link within the site: the heading takes the focus then, as a new page would. */
export function useArrivedByLink(): boolean {
  return useNavigationType() !== NavigationType.Pop
}
